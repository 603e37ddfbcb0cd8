{{- define "gitlab-runner.fullname" -}}
{{- if hasPrefix "gitlab-runner" .Release.Name }}{{ .Release.Name }}{{ else }}{{ .Release.Name }}-gitlab-runner{{ end -}}
{{- end -}}
{{- define "labels" -}}
app: {{ include "gitlab-runner.fullname" . }}
chart: gitlab-runner-0.86.0
release: {{ .Release.Name }}
heritage: Helm
{{- end -}}
