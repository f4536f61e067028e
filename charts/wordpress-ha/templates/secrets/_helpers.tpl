{{/*
The Secrets that the chart makes itself: one line each, the name and its keys. A Secret given by existingSecret is not here.
*/}}
{{- define "wordpress-ha.madeSecrets" -}}
{{- if and (include "wordpress-ha.hasDatabase" .) (not .Values.database.existingSecret) }}
{{ include "wordpress-ha.databaseSecret" . }} root-password password monitor-password{{ if eq .Values.database.topology "replication" }} replication-password{{ end }}
{{- end }}
{{- if not .Values.wordpress.existingSecret }}
{{ include "wordpress-ha.wordpressSecret" . }} admin-password auth-key secure-auth-key logged-in-key nonce-key auth-salt secure-auth-salt logged-in-salt nonce-salt
{{- end }}
{{- end }}
