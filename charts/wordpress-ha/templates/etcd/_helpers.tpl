{{/* The client URLs of all etcd members, separated by spaces. */}}
{{- define "wordpress-ha.etcdEndpoints" -}}
{{- $urls := list }}
{{- $scheme := ternary "https" "http" .Values.tls.enabled }}
{{- range splitList "\n" (include "wordpress-ha.podNames" (list . "etcd" .Values.etcd.replicas)) }}
{{- $urls = append $urls (printf "%s://%s:2379" $scheme .) }}
{{- end }}
{{- join " " $urls }}
{{- end }}
