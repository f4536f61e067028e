{{/* The Secret with a tier's certificate, its key and their authority: ca.crt, tls.crt, tls.key. Usage: ... (list . "etcd") */}}
{{- define "wordpress-ha.tls.secret" -}}
{{- $root := index . 0 -}}
{{- $tier := index . 1 -}}
{{- (index $root.Values.tls $tier).existingSecret | default (printf "%s-%s-tls" (include "wordpress-ha.fullname" $root) (ternary "mysql" $tier (eq $tier "database"))) }}
{{- end }}

{{/* What a container has that shows or checks certificates. The files are replaced in place when they are renewed. */}}
{{- define "wordpress-ha.tls.env" -}}
{{- if .Values.tls.enabled }}
- {name: TLS, value: /tls}
{{- end }}
{{- end }}

{{- define "wordpress-ha.tls.mount" -}}
{{- if .Values.tls.enabled }}
- {name: tls, mountPath: /tls, readOnly: true}
{{- end }}
{{- end }}

{{/* Usage: include "wordpress-ha.tls.volume" (list . "etcd") */}}
{{- define "wordpress-ha.tls.volume" -}}
{{- if (index . 0).Values.tls.enabled }}
- name: tls
  secret:
    secretName: {{ include "wordpress-ha.tls.secret" . }}
    defaultMode: 0440
    items:
      {{- range list "ca.crt" "tls.crt" "tls.key" }}
      - {key: {{ . }}, path: {{ . }}}
      {{- end }}
{{- end }}
{{- end }}

{{/* The database server's settings. */}}
{{- define "wordpress-ha.tls.databaseConfig" -}}
{{- if .Values.tls.enabled }}{{ tpl (.Files.Get "files/tls/my.cnf") . }}{{ end }}
{{- end }}

{{/* The certificates that nobody has given, as a JSON list of {secret, names}: for the pods of each tier, and its Services. */}}
{{- define "wordpress-ha.tls.certificates" -}}
{{- $certificates := list }}
{{- if .Values.tls.enabled }}
{{- $services := dict }}
{{- if include "wordpress-ha.hasEtcd" . }}{{ $_ := set $services "etcd" (list "etcd" "etcd-client") }}{{ end }}
{{- if include "wordpress-ha.hasDatabase" . }}{{ $_ := set $services "database" (list "mysql" "mysql-client") }}{{ end }}
{{- if eq .Values.database.topology "replication" }}{{ $_ := set $services "database" (append $services.database "mysql-read") }}{{ end }}
{{- range $tier, $suffixes := $services }}
{{- if not (index $.Values.tls $tier).existingSecret }}
{{- $names := list "localhost" }}
{{- range $suffixes }}
{{- $service := printf "%s-%s.%s" (include "wordpress-ha.fullname" $) . $.Release.Namespace }}
{{- $names = concat $names (list $service (printf "%s.svc" $service) (printf "%s.svc.%s" $service (include "wordpress-ha.clusterDomain" $))) }}
{{- end }}
{{- $names = append $names (printf "*.%s-%s.%s.svc.%s" (include "wordpress-ha.fullname" $) (first $suffixes) $.Release.Namespace (include "wordpress-ha.clusterDomain" $)) }}
{{- $certificates = append $certificates (dict "secret" (include "wordpress-ha.tls.secret" (list $ $tier)) "names" $names) }}
{{- end }}
{{- end }}
{{- end }}
{{- toJson $certificates }}
{{- end }}

{{/* Those that the chart's own Jobs make: a line each, the Secret and the certificate's names; nothing where cert-manager does it. */}}
{{- define "wordpress-ha.tls.byJob" -}}
{{- if not .Values.tls.issuer.name }}
{{- range include "wordpress-ha.tls.certificates" . | fromJsonArray }}
{{ .secret }} DNS:{{ join ",DNS:" .names }},IP:127.0.0.1
{{- end }}
{{- end }}
{{- end }}

{{/* The Secret with the authority of those. */}}
{{- define "wordpress-ha.tls.authority" -}}
{{ include "wordpress-ha.fullname" . }}-authority
{{- end }}

{{/* The container that makes and renews them; its volumes are scripts and keys. */}}
{{- define "wordpress-ha.tls.container" -}}
- name: certificates
  image: {{ include "wordpress-ha.image" (list . .Values.tools.image) }}
  imagePullPolicy: {{ .Values.tools.image.pullPolicy }}
  command: [bash, /scripts/certificates.sh]
  env:
    - {name: NAMESPACE, value: {{ .Release.Namespace }}}
    - {name: AUTHORITY, value: {{ include "wordpress-ha.tls.authority" . }}}
    - name: CERTIFICATES
      value: |
        {{- include "wordpress-ha.tls.byJob" . | trim | nindent 8 }}
    - name: LABELS
      value: {{ include "wordpress-ha.selectorLabels" (list . "secrets") | fromYaml | toJson | quote }}
  securityContext:
    {{- include "wordpress-ha.containerSecurityContext" . | nindent 4 }}
  resources:
    {{- toYaml .Values.secrets.resources | nindent 4 }}
  volumeMounts:
    - {name: scripts, mountPath: /scripts, readOnly: true}
    - {name: keys, mountPath: /tmp}
{{- end }}

{{/* One sentence, on a line of its own, for each combination of these values that cannot work. */}}
{{- define "wordpress-ha.tls.problems" -}}
{{- $tls := .Values.tls }}
{{- if and (eq .Values.database.topology "external") (or $tls.issuer.name $tls.database.existingSecret) }}
tls: the topology external runs no server that needs a certificate; leave tls.issuer.name and tls.database.existingSecret empty, and see database.external.tls.
{{- end }}
{{- if and (not $tls.enabled) (or $tls.issuer.name $tls.etcd.existingSecret $tls.database.existingSecret) }}
tls.enabled: it is said where certificates come from, but nothing is encrypted; set it to true.
{{- end }}
{{- if and $tls.etcd.existingSecret (not (include "wordpress-ha.hasEtcd" .)) }}
tls.etcd.existingSecret: the topology {{ .Values.database.topology }} has no etcd; leave it empty.
{{- end }}
{{- end }}
