{{/* The client URLs of all etcd members, separated by spaces. */}}
{{- define "wordpress-ha.etcdEndpoints" -}}
{{- $urls := list }}
{{- range splitList "\n" (include "wordpress-ha.podNames" (list . "etcd" .Values.etcd.replicas)) }}
{{- $urls = append $urls (printf "http://%s:2379" .) }}
{{- end }}
{{- join " " $urls }}
{{- end }}
