{{/*
What these values open, and to whom: a line for each, "value: sentence". The notes show them, and `verify.jar check` warns of them.
The site's own port is not among them: it is meant for visitors.
*/}}
{{- define "wordpress-ha.openings" -}}
{{- $network := .Values.networkPolicy }}
{{- $wordpress := .Values.wordpress }}
{{- $external := .Values.database.external.tls }}
{{- if and (include "wordpress-ha.hasDatabase" .) (not .Values.tls.enabled) }}
tls.enabled: false, so passwords and pages pass between pods in the clear{{ if include "wordpress-ha.hasEtcd" . }}, and etcd takes the writes of any client that reaches it{{ end }}.
{{- end }}
{{- if not $network.enabled }}
networkPolicy.enabled: false, so every pod of the cluster reaches every port of the release.
{{- else if and .Values.nfs.enabled (not $network.from.nodes) }}
networkPolicy.from.nodes: empty, so every address that reaches the NFS server can mount the site's code and uploads; name the nodes.
{{- end }}
{{- if and (include "wordpress-ha.hasDatabase" .) (ne .Values.database.service.type "ClusterIP") }}
database.service.type: {{ .Values.database.service.type }}, so clients outside of the cluster reach the database; it wants a password{{ if .Values.tls.enabled }} over TLS{{ end }}.{{ if and $network.enabled (not $network.from.database) }} Name them in networkPolicy.from.database.{{ end }}
{{- end }}
{{- if and (include "wordpress-ha.hasEtcd" .) (ne .Values.etcd.service.type "ClusterIP") }}
etcd.service.type: {{ .Values.etcd.service.type }}, so clients outside of the cluster reach etcd; it wants a certificate of the release's authority.{{ if and $network.enabled (not $network.from.etcd) }} Name them in networkPolicy.from.etcd.{{ end }}
{{- end }}
{{- if eq .Values.database.topology "external" }}
{{- if not $external.enabled }}
database.external.tls.enabled: false, so the site's password and pages pass to the database in the clear.
{{- else if not $external.verify }}
database.external.tls.verify: false, so any server on the way can pose as the database and learn the password.
{{- end }}
{{- end }}
{{- if and $wordpress.smtp.host (eq $wordpress.smtp.tls "none") }}
wordpress.smtp.tls: none, so mails and the password of their account pass in the clear.
{{- end }}
{{- if $wordpress.xmlrpc }}
wordpress.xmlrpc: true, so any client can try passwords and send pingbacks by xmlrpc.php.
{{- end }}
{{- if $wordpress.userEnumeration }}
wordpress.userEnumeration: true, so any visitor learns the names of the accounts.
{{- end }}
{{- if not $wordpress.loginsPerMinute }}
wordpress.loginsPerMinute: 0, so an address can try passwords without a limit.
{{- end }}
{{- if not $wordpress.loginLockout.failures }}
wordpress.loginLockout.failures: 0, so many addresses together can try the passwords of an account without a limit.
{{- end }}
{{- if $wordpress.allowPluginChanges }}
wordpress.allowPluginChanges: true, so the password of one administrator is enough to run code in the pods.
{{- end }}
{{- end }}
