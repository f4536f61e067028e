{{/* The StorageClass of the in-chart NFS server. It is cluster-wide, so its name has the namespace in it. */}}
{{- define "wordpress-ha.nfsStorageClass" -}}
{{- printf "%s-%s-nfs" .Release.Namespace (include "wordpress-ha.fullname" .) }}
{{- end }}

{{/* A provisioner's name may have 63 characters, 27 of which are the suffix. It must not change: a StorageClass keeps it. */}}
{{- define "wordpress-ha.nfsProvisioner" -}}
{{- $name := printf "%s.%s" (include "wordpress-ha.fullname" .) .Release.Namespace }}
{{- printf "%s.nfs.wordpress-ha.github.io" (include "wordpress-ha.shorten" (list $name 36)) }}
{{- end }}

{{/* The ports of the NFS server; its provisioner checks that the Service has exactly these, each for TCP and UDP. */}}
{{- define "wordpress-ha.nfsPorts" -}}
[{"name": "nfs", "port": 2049}, {"name": "nlockmgr", "port": 32803}, {"name": "mountd", "port": 20048},
 {"name": "rquotad", "port": 875}, {"name": "rpcbind", "port": 111}, {"name": "statd", "port": 662}]
{{- end }}
