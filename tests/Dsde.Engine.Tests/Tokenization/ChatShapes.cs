namespace Dsde.Engine.Tests.Tokenization;

/// <summary>Chat templates: their text, or the name of a file of the reference's vectors.</summary>
internal static class ChatShapes
{
    public const string Qwen2 =
        "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}{{ '<|im_start|>system\\nYou are a "
        + "helpful assistant.<|im_end|>\\n' }}{% endif %}"
        + "{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}{% endfor %}{% if "
        + "add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

    public const string Qwen25 =
        "{%- if messages[0]['role'] == 'system' %}\n{{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}\n{%- "
        + "else %}\n"
        + "{{- '<|im_start|>system\\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\\n' }}\n{%- endif "
        + "%}\n{%- for message in messages %}\n"
        + "{%- if (message.role == \"user\") or (message.role == \"system\" and not loop.first) or (message.role == \"assistant\" and "
        + "not message.tool_calls) %}\n"
        + "{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}\n{%- endif %}\n{%- endfor %}\n{%- if "
        + "add_generation_prompt %}\n{{- '<|im_start|>assistant\\n' }}\n{%- endif %}\n";

    public const string Qwen3 = "qwen3";

    public const string Llama3 =
        "{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + message['role'] "
        + "+ '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}"
        + "{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}{% if "
        + "add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}";

    public const string Llama31 = "llama3.1";

    public const string Llama2 = "llama2";

    public const string MistralV1Old = "mistral-v1";

    public const string MistralV1 =
        "{%- if messages[0][\"role\"] == \"system\" %}\n{%- set system_message = messages[0][\"content\"] %}\n{%- set loop_messages = "
        + "messages[1:] %}\n{%- else %}\n{%- set loop_messages = messages %}\n{%- endif %}\n{{- bos_token }}\n{%- for message in "
        + "loop_messages %}\n{%- if message[\"role\"] == \"user\" %}\n{%- if loop.first and system_message is defined %}\n"
        + "{{- \" [INST] \" + system_message + \"\\n\\n\" + message[\"content\"] + \" [/INST]\" }}\n{%- else %}\n{{- \" [INST] \" + "
        + "message[\"content\"] + \" [/INST]\" }}\n{%- endif %}\n"
        + "{%- elif message[\"role\"] == \"assistant\" %}\n{{- \" \" + message[\"content\"] + eos_token}}\n{%- endif %}\n{%- endfor %}\n";

    public const string MistralV3 = "mistral-v3";

    public const string MistralTekken = "mistral-tekken";

    public const string Gemma2 = "gemma2";

    public const string Gemma3 = "gemma3";
}
