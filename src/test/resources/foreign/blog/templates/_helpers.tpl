{{- define "common.names.fullname" -}}{{ .Release.Name }}-blog{{- end }}
{{- define "common.labels.match" -}}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/name: blog
{{- end }}
{{- define "common.security" -}}
allowPrivilegeEscalation: false
capabilities: {drop: ["ALL"]}
privileged: false
readOnlyRootFilesystem: true
runAsGroup: 1001
runAsNonRoot: true
runAsUser: 1001
seccompProfile: {type: RuntimeDefault}
{{- end }}
