{{/*
The class for one use: "database" (one pod at a time) or "content" (many). It is cluster-wide, so its name has the namespace in it.
Usage: include "wordpress-ha.portworx.class" (list . "database")
*/}}
{{- define "wordpress-ha.portworx.class" -}}
{{- $root := index . 0 -}}
{{- printf "%s-%s-portworx-%s" $root.Release.Namespace (include "wordpress-ha.fullname" $root) (index . 1) }}
{{- end }}

{{/* The claims in the class of one use, as a JSON list; none when the values name another class, claim or server. */}}
{{- define "wordpress-ha.portworx.claims" -}}
{{- $root := index . 0 -}}
{{- $claims := list -}}
{{- if $root.Values.portworx.enabled -}}
{{- $fullname := include "wordpress-ha.fullname" $root -}}
{{- $storage := $root.Values.database.storage -}}
{{- if and (eq (index . 1) "database") (not (or $storage.storageClass $storage.existingClaim $storage.nfs.volumes)) -}}
{{- range until (int (include "wordpress-ha.databaseReplicas" $root)) }}{{ $claims = append $claims (printf "data-%s-mysql-%d" $fullname .) }}{{ end -}}
{{- end -}}
{{- if and (eq (index . 1) "content") (eq (include "wordpress-ha.wordpress.contentSource" $root) "portworx") -}}
{{- $claims = append $claims (include "wordpress-ha.wordpress.contentClaim" $root) -}}
{{- end -}}
{{- end -}}
{{- toJson $claims -}}
{{- end }}

{{/* What Portworx is given with an operation. Usage: include "wordpress-ha.portworx.secret" (list . "provisioner") */}}
{{- define "wordpress-ha.portworx.secret" -}}
{{- $root := index . 0 -}}
{{- $secret := $root.Values.portworx.secret -}}
{{- if $secret.name -}}
csi.storage.k8s.io/{{ index . 1 }}-secret-name: {{ $secret.name }}
csi.storage.k8s.io/{{ index . 1 }}-secret-namespace: {{ $secret.namespace | default $root.Release.Namespace }}
{{- end }}
{{- end }}
