{{- /*
A value as text in quotes, of (list NAME VALUE). Numbers in values files are floating-point numbers to helm, which prints 4194304 as 4.194304e+06; JSON's
form of a number is the one that was written.
*/}}
{{- define "dsde.text" -}}
{{- $name := index . 0 }}
{{- $value := index . 1 }}
{{- if or (kindIs "map" $value) (kindIs "slice" $value) }}
{{- fail (printf "%s is a list or a map, and takes one value; items of a list are settings of their own: NAME__0, NAME__1" $name) }}
{{- else if kindIs "invalid" $value }}
{{- fail (printf "%s has no value; give it one, \"\" for an empty one" $name) }}
{{- else if kindIs "string" $value }}
{{- $value | quote }}
{{- else }}
{{- toJson $value | quote }}
{{- end }}
{{- end }}

{{- /* A whole number, of (list NAME VALUE). */}}
{{- define "dsde.integer" -}}
{{- $text := include "dsde.text" . | trimAll "\"" }}
{{- if not (regexMatch "^[0-9]+$" $text) }}
{{- fail (printf "%s is \"%s\", and takes a whole number" (index . 0) $text) }}
{{- end }}
{{- $text }}
{{- end }}

{{- /* Lines NAME: "TEXT" of a map, of (list NAME MAP). What is null is left out, as helm does with defaults that are set to null. */}}
{{- define "dsde.texts" -}}
{{- $name := index . 0 }}
{{- $lines := list }}
{{- range $key, $value := index . 1 }}
{{- if not (kindIs "invalid" $value) }}
{{- $lines = append $lines (printf "%s: %s" (quote $key) (include "dsde.text" (list (printf "%s.%s" $name $key) $value))) }}
{{- end }}
{{- end }}
{{- join "\n" $lines }}
{{- end }}

{{- /* JSON of a map with another one over it, of (list BELOW ABOVE). Unlike mergeOverwrite it lets false, 0 and "" count. */}}
{{- define "dsde.merged" -}}
{{- $merged := deepCopy (index . 0) }}
{{- range $key, $value := index . 1 }}
{{- $below := get $merged $key }}
{{- if and (kindIs "map" $value) (kindIs "map" $below) }}
{{- $value = include "dsde.merged" (list $below $value) | fromJson }}
{{- end }}
{{- $_ := set $merged $key $value }}
{{- end }}
{{- toJson $merged }}
{{- end }}

{{- define "dsde.fullname" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 63 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- /* The release's name with a part of it behind, of (list CONTEXT PART). */}}
{{- define "dsde.partname" -}}
{{- $part := index . 1 }}
{{- printf "%s-%s" (include "dsde.fullname" (index . 0) | trunc (int (sub 62 (len $part))) | trimSuffix "-") $part }}
{{- end }}

{{- define "dsde.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "dsde.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{ include "dsde.selectorLabels" . }}
{{- end }}

{{- /* Labels by which a pool's pods are known, of (list CONTEXT POOL). */}}
{{- define "dsde.poolLabels" -}}
{{ include "dsde.selectorLabels" (index . 0) }}
app.kubernetes.io/component: worker
dsde/pool: {{ index . 1 | quote }}
{{- end }}

{{- /* Of (list CONTEXT IMAGE). */}}
{{- define "dsde.image" -}}
{{- $image := include "dsde.merged" (list (index . 0).Values.image (index . 1)) | fromJson }}
{{- $repository := include "dsde.text" (list "image.repository" $image.repository) | trimAll "\"" }}
{{- $tag := include "dsde.text" (list "image.tag" ($image.tag | default (index . 0).Chart.AppVersion)) | trimAll "\"" -}}
image: {{ printf "%s:%s" $repository $tag | quote }}
imagePullPolicy: {{ $image.pullPolicy | quote }}
{{- end }}

{{- define "dsde.secretName" -}}
{{- include "dsde.text" (list "existingSecret" (.Values.existingSecret | default (include "dsde.fullname" .))) }}
{{- end }}

{{- define "dsde.serviceAccountName" -}}
{{- include "dsde.text" (list "serviceAccount.name" (.Values.serviceAccount.name | default (ternary (include "dsde.fullname" .) "default" .Values.serviceAccount.create))) }}
{{- end }}

{{- /* Text in stringData of secrets, of (list CONTEXT KEY ...). */}}
{{- define "dsde.secretTexts" -}}
{{- $secrets := (index . 0).Values.secrets }}
{{- range $name := rest . }}
{{- $value := required (printf "secrets.%s is missing (or name a secret in existingSecret)" $name) (get $secrets $name) }}
{{ quote $name }}: {{ include "dsde.text" (list (printf "secrets.%s" $name) $value) }}
{{- end }}
{{- end }}

{{- /* JSON of what is said of each pool. */}}
{{- define "dsde.pools" -}}
{{- .Values.pools | default (dict "default" dict) | toJson }}
{{- end }}

{{- /*
JSON of a pool, of (list CONTEXT POOL): what worker has, what the pool has otherwise, and what follows from both.
*/}}
{{- define "dsde.pool" -}}
{{- $context := index . 0 }}
{{- $name := index . 1 }}
{{- $at := printf "pools.%s" $name }}
{{- $pool := include "dsde.merged" (list $context.Values.worker (index (include "dsde.pools" $context | fromJson) $name | default dict)) | fromJson }}
{{- $settings := include "dsde.merged" (list $context.Values.settings $pool.settings) | fromJson }}
{{- if and (not $pool.models) (eq $name "default") }}
{{- $_ := set $pool "models" (list "dsde-demo") }}
{{- end }}
{{- if not $pool.models }}
{{- fail (printf "%s.models is empty; name the aliases under which jobs ask for this pool's target" $at) }}
{{- end }}
{{- range $i, $alias := $pool.models }}
{{- $_ := set $settings (printf "Dsde__Worker__Models__%d" $i) $alias }}
{{- end }}
{{- range $required := list "Dsde__Worker__DrainSeconds" "Dsde__Worker__HealthPort" "Dsde__RabbitMq__Host" "Dsde__RabbitMq__Port" }}
{{- $_ := include "dsde.text" (list (printf "settings.%s" $required) (index $settings $required)) }}
{{- end }}
{{- $drain := include "dsde.integer" (list "settings.Dsde__Worker__DrainSeconds" $settings.Dsde__Worker__DrainSeconds) | int64 }}
{{- $preStop := include "dsde.integer" (list (printf "%s.preStopSeconds" $at) $pool.preStopSeconds) | int64 }}
{{- $scaling := $pool.autoscaling }}
{{- $cooldown := int64 (add $drain 300) }}
{{- if not (kindIs "invalid" $scaling.cooldownSeconds) }}
{{- $cooldown = include "dsde.integer" (list (printf "%s.autoscaling.cooldownSeconds" $at) $scaling.cooldownSeconds) | int64 }}
{{- if and (eq $scaling.mode "keda") (le $cooldown $drain) }}
{{- fail (printf "%s.autoscaling.cooldownSeconds is %d, and has to be longer than settings.Dsde__Worker__DrainSeconds, %d" $at $cooldown $drain) }}
{{- end }}
{{- end }}
{{- $least := include "dsde.integer" (list (printf "%s.autoscaling.minReplicas" $at) $scaling.minReplicas) | int64 }}
{{- $most := include "dsde.integer" (list (printf "%s.autoscaling.maxReplicas" $at) $scaling.maxReplicas) | int64 }}
{{- if ne $scaling.mode "none" }}
{{- if lt $most (max 1 $least) }}
{{- fail (printf "%s.autoscaling.maxReplicas is %d, and has to be at least 1 and minReplicas, %d" $at $most $least) }}
{{- end }}
{{- if and (eq $scaling.mode "hpa") (eq $least 0) }}
{{- fail (printf "%s.autoscaling.minReplicas is 0, which a HorizontalPodAutoscaler does not know; set it to 1, or mode to keda" $at) }}
{{- end }}
{{- end }}
{{- if and $pool.modelVolume.existingClaim $pool.modelVolume.fetch.image }}
{{- fail (printf "%s.modelVolume has both existingClaim and fetch.image; give one of them" $at) }}
{{- end }}
{{- if and $pool.modelVolume.fetch.image (not $pool.modelVolume.fetch.command) }}
{{- fail (printf "%s.modelVolume.fetch.command is empty; say what fills /models" $at) }}
{{- end }}
{{- $gpu := false }}
{{- range $resource, $_ := merge dict ($pool.resources.limits | default dict) ($pool.resources.requests | default dict) }}
{{- $gpu = or $gpu (contains "gpu" $resource) }}
{{- end }}
{{- $surge := ternary 0 1 $gpu }}
{{- $strategy := $pool.strategy | default (dict "type" "RollingUpdate" "rollingUpdate" (dict "maxSurge" $surge "maxUnavailable" (sub 1 $surge))) }}
{{- $quoted := list }}
{{- range $pool.models }}
{{- $quoted = append $quoted (regexQuoteMeta (toString .)) }}
{{- end }}
{{- $derived := dict
  "name" $name
  "fullname" (include "dsde.partname" (list $context $name))
  "settings" $settings
  "strategy" $strategy
  "graceSeconds" (add $preStop $drain 15)
  "cooldownSeconds" $cooldown
  "hasModelVolume" (or $pool.modelVolume.existingClaim $pool.modelVolume.fetch.image | not | not)
  "queues" (printf "^dsde-generation-jobs(\\.(%s)(\\.high|\\.resumed)?|-unrouted)$" (join "|" $quoted))
}}
{{- $result := $pool }}
{{- range $key, $value := $derived }}
{{- $_ := set $result $key $value }}
{{- end }}
{{- toJson $result }}
{{- end }}

{{- define "dsde.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{- define "dsde.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: 1654
fsGroup: 1654
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "dsde.volumeMounts" -}}
- name: tmp
  mountPath: /tmp
{{- if .Values.certificates.existingSecret }}
- name: certificates
  mountPath: /certificates
  readOnly: true
{{- end }}
{{- end }}

{{- define "dsde.volumes" -}}
- name: tmp
  emptyDir: {}
{{- with .Values.certificates.existingSecret }}
- name: certificates
  secret:
    secretName: {{ include "dsde.text" (list "certificates.existingSecret" .) }}
{{- end }}
{{- end }}
