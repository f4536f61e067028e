{{/* The StorageClass of the in-chart NFS server. It is cluster-wide, so its name has the namespace in it. */}}
{{- define "wordpress-ha.nfsStorageClass" -}}
{{- printf "%s-%s-nfs" .Release.Namespace (include "wordpress-ha.fullname" .) }}
{{- end }}

{{- define "wordpress-ha.nfsProvisioner" -}}
{{- printf "%s.%s.nfs.wordpress-ha.github.io" (include "wordpress-ha.fullname" .) .Release.Namespace }}
{{- end }}
