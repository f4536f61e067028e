{{/*
Refuses values that are well typed (values.schema.json) but cannot work together. Each sentence says what is wrong, where,
and what to write instead; all of them are shown at once.
*/}}
{{- define "wordpress-ha.problems" -}}
{{- include "wordpress-ha.nameProblems" . }}
{{- include "wordpress-ha.standardProblems" . }}
{{- $quota := include "wordpress-ha.bytes" .Values.etcd.quota | int64 }}
{{- if or (lt $quota (int64 67108864)) (gt $quota (int64 8589934592)) }}
etcd.quota: etcd works with 64Mi to 8Gi, not with {{ include "wordpress-ha.quantity" .Values.etcd.quota }}; write for example 256Mi.
{{- end }}
{{- if and .Values.nfs.enabled (ne (include "wordpress-ha.wordpress.contentSource" .) "nfs") }}
nfs.enabled: the content has another source (wordpress.content), so the NFS server would be unused; set nfs.enabled=false.
{{- end }}
{{- if eq (include "wordpress-ha.wordpress.contentSource" .) "nfs" }}
{{- $most := div (mul 9 (include "wordpress-ha.mebibytes" .Values.nfs.storage.size | int)) 10 }}
{{- if gt (include "wordpress-ha.mebibytes" .Values.wordpress.content.size | int) (int $most) }}
wordpress.content.size: {{ include "wordpress-ha.quantity" .Values.wordpress.content.size }} does not fit on the NFS server's volume ({{ include "wordpress-ha.quantity" .Values.nfs.storage.size }}), whose file system needs some room itself; write at most {{ $most }}Mi, or a larger nfs.storage.size.
{{- end }}
{{- end }}
{{- include "wordpress-ha.wordpress.problems" . }}
{{- include "wordpress-ha.external.problems" . }}
{{- include "wordpress-ha.tls.problems" . }}
{{- include "wordpress-ha.metrics.problems" . }}
{{- include "wordpress-ha.databaseStorageProblems" . }}
{{- range $tier := list "etcd" "database" "wordpress" }}
{{- $service := (get $.Values $tier).service }}
{{- if and $service.nodePort (eq $service.type "ClusterIP") }}
{{ $tier }}.service.nodePort: a Service of type ClusterIP has none; set {{ $tier }}.service.type=NodePort, or nodePort=null.
{{- end }}
{{- end }}
{{- if and (include "wordpress-ha.hasEtcd" .) (ne .Values.etcd.service.type "ClusterIP") (not .Values.tls.enabled) }}
etcd.service.type: without TLS, etcd takes the writes of any client, and they decide who may start the database; write ClusterIP, or set tls.enabled=true.
{{- end }}
{{- $database := .Values.database }}
{{- if and (eq $database.topology "replication") (gt (int $database.replicas) 1) (ge (int $database.replication.acknowledge) (int $database.replicas)) }}
database.replication.acknowledge: {{ int $database.replicas }} members have {{ sub (int $database.replicas) 1 }} replicas, so a write cannot be on {{ int $database.replication.acknowledge }}; write a smaller number, or more database.replicas.
{{- end }}
{{- if not (dig "limits" "memory" "" (.Values.database.resources | default dict)) }}
database.resources.limits.memory: the server sizes its buffers by it; write a size, for example 2Gi.
{{- end }}
{{- end }}

{{- define "wordpress-ha.validate" -}}
{{- $problems := include "wordpress-ha.problems" . | trim }}
{{- if $problems }}
{{- fail (printf "\n\nThese values cannot work:\n%s\n" $problems) }}
{{- end }}
{{- end }}
