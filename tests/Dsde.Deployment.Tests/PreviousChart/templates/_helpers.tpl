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

{{- define "dsde.fullname" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 63 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "dsde.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "dsde.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
{{ include "dsde.selectorLabels" . }}
{{- end }}

{{- define "dsde.image" -}}
{{- $repository := include "dsde.text" (list "image.repository" .Values.image.repository) | trimAll "\"" }}
{{- $tag := include "dsde.text" (list "image.tag" (.Values.image.tag | default .Chart.AppVersion)) | trimAll "\"" }}
{{- printf "%s:%s" $repository $tag | quote }}
{{- end }}

{{- define "dsde.secretName" -}}
{{- include "dsde.text" (list "existingSecret" (.Values.existingSecret | default (include "dsde.fullname" .))) }}
{{- end }}

{{- define "dsde.serviceAccountName" -}}
{{- include "dsde.text" (list "serviceAccount.name" (.Values.serviceAccount.name | default (ternary (include "dsde.fullname" .) "default" .Values.serviceAccount.create))) }}
{{- end }}

{{- /* What worker and migration have in common: image, settings, certificates, what they may do. */}}
{{- define "dsde.container" -}}
image: {{ include "dsde.image" . }}
imagePullPolicy: {{ .Values.image.pullPolicy | quote }}
envFrom:
  - configMapRef:
      name: {{ include "dsde.fullname" . | quote }}
  - secretRef:
      name: {{ include "dsde.secretName" . }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
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
