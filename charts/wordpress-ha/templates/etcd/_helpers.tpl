{{/* The client URLs of all etcd members, separated by spaces. Usage: include "wordpress-ha.etcdEndpoints" (list . SCHEME) */}}
{{- define "wordpress-ha.etcdEndpoints" -}}
{{- $root := index . 0 }}
{{- $scheme := index . 1 }}
{{- $urls := list }}
{{- range splitList "\n" (include "wordpress-ha.podNames" (list $root "etcd" $root.Values.etcd.replicas)) }}
{{- $urls = append $urls (printf "%s://%s:2379" $scheme .) }}
{{- end }}
{{- join " " $urls }}
{{- end }}
