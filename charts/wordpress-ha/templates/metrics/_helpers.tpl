{{/* For a Prometheus that finds pods by annotations. Usage: include "wordpress-ha.metrics.annotations" (list . "etcd") */}}
{{- define "wordpress-ha.metrics.annotations" -}}
{{- $metrics := (index . 0).Values.metrics }}
{{- if and $metrics.enabled $metrics.annotations }}
prometheus.io/scrape: "true"
prometheus.io/port: {{ include "wordpress-ha.port" (list (index . 1) "metrics") | quote }}
prometheus.io/path: /metrics
{{- end }}
{{- end }}

{{/* The tiers that have metrics, as a JSON list. */}}
{{- define "wordpress-ha.metrics.tiers" -}}
{{- $tiers := list "wordpress" }}
{{- if include "wordpress-ha.hasDatabase" . }}{{ $tiers = append $tiers "database" }}{{ end }}
{{- if include "wordpress-ha.hasEtcd" . }}{{ $tiers = append $tiers "etcd" }}{{ end }}
{{- toJson $tiers }}
{{- end }}

{{/* The container that serves a web pod's metrics. It starts before nginx, which sends it a datagram for each request. */}}
{{- define "wordpress-ha.metrics.web" -}}
{{- if .Values.metrics.enabled }}
- name: metrics
  {{- include "wordpress-ha.wordpress.php" . | nindent 2 }}
  restartPolicy: Always
  # A container's first process is deaf to signals unless it listens; the image's stop signal is QUIT.
  command: [bash, -c, "trap 'kill $!' TERM QUIT; php /etc/wordpress-web/metrics.php & wait $!"]
  env:
    {{- include "wordpress-ha.wordpress.phpEnv" . | nindent 4 }}
    {{- if include "wordpress-ha.hasRouter" . }}
    - {name: ROUTER, value: "true"}
    {{- end }}
  ports:
    {{- include "wordpress-ha.containerPorts" (list "wordpress" "metrics") | nindent 4 }}
  resources:
    requests: {cpu: 10m, memory: 32Mi}
    limits: {memory: 128Mi}
  volumeMounts:
    {{- include "wordpress-ha.wordpress.configurationMounts" . | trim | nindent 4 }}
    - {name: web, mountPath: /etc/wordpress-web, readOnly: true}
    - {name: secrets, mountPath: /run/secrets/wordpress, readOnly: true}
    - {name: content, mountPath: /usr/src/wordpress/wp-content, readOnly: true}
    - {name: tmp, mountPath: /tmp}
{{- end }}
{{- end }}

{{/*
mysqld_exporter, within reach of this pod alone: the agent serves its figures beside its own. It waits for the file that the agent writes, and
collects what needs no privilege.
*/}}
{{- define "wordpress-ha.metrics.exporter" -}}
{{- if .Values.metrics.enabled }}
{{- $exporter := .Values.metrics.exporter }}
- name: exporter
  image: {{ include "wordpress-ha.image" (list . $exporter.image) }}
  imagePullPolicy: {{ $exporter.image.pullPolicy }}
  restartPolicy: Always
  command:
    - sh
    - -c
    - >-
      until [ -s /run/exporter/monitor.cnf ]; do sleep 1; done;
      exec mysqld_exporter --config.my-cnf=/run/exporter/monitor.cnf --web.listen-address=127.0.0.1:9104 --no-collect.slave_status
      --no-collect.info_schema.innodb_cmp --no-collect.info_schema.innodb_cmpmem --no-collect.info_schema.query_response_time
  securityContext:
    {{- include "wordpress-ha.containerSecurityContext" . | nindent 4 }}
  resources:
    {{- toYaml $exporter.resources | nindent 4 }}
  volumeMounts:
    - {name: credentials, mountPath: /run/exporter, subPath: exporter, readOnly: true}
{{- end }}
{{- end }}

{{/* One sentence, on a line of its own, for each combination of these values that cannot work. */}}
{{- define "wordpress-ha.metrics.problems" -}}
{{- $metrics := .Values.metrics }}
{{- if not $metrics.enabled }}
{{- range $what := list "podMonitor" "alerts" "dashboards" }}
{{- if (get $metrics $what).enabled }}
metrics.{{ $what }}.enabled: there are no metrics; set metrics.enabled=true, or metrics.{{ $what }}.enabled=false.
{{- end }}
{{- end }}
{{- if $metrics.annotations }}
metrics.annotations: there are no metrics; set metrics.enabled=true, or metrics.annotations=false.
{{- end }}
{{- end }}
{{- end }}

{{/* The alerts of one file, as YAML, with the labels of this release's pods in their expressions. Usage: ... (list . "etcd") */}}
{{- define "wordpress-ha.metrics.alerts" -}}
{{- $root := index . 0 }}
{{- $fullname := include "wordpress-ha.fullname" $root }}
{{- $namespace := printf "namespace=%q" $root.Release.Namespace }}
{{- $text := $root.Files.Get (printf "files/metrics/alerts/%s.yaml" (index . 1)) }}
{{- range $word, $meaning := dict
      "<web>" (printf "%s,pod=~\"%s-[a-z0-9]+-[a-z0-9]{5}\"" $namespace $fullname)
      "<database>" (printf "%s,pod=~\"%s-mysql-[0-9]+\"" $namespace $fullname)
      "<etcd>" (printf "%s,pod=~\"%s-etcd-[0-9]+\"" $namespace $fullname)
      "<release>" (printf "%s,pod=~\"%s-.+\"" $namespace $fullname)
      "<namespace>" $namespace
      "<fullname>" $fullname
      "<members>" (include "wordpress-ha.databaseReplicas" $root)
      "<arbiters>" (toString $root.Values.etcd.replicas) }}
{{- $text = replace $word $meaning $text }}
{{- end }}
{{- $text }}
{{- end }}

{{/* The files with alerts that this release needs, as a JSON list. */}}
{{- define "wordpress-ha.metrics.alertFiles" -}}
{{- $files := list "site" }}
{{- if include "wordpress-ha.hasDatabase" . }}{{ $files = append $files "database" }}{{ end }}
{{- if include "wordpress-ha.hasEtcd" . }}{{ $files = append $files .Values.database.topology }}{{ $files = append $files "etcd" }}{{ end }}
{{- if .Values.tls.enabled }}{{ $files = append $files "tls" }}{{ end }}
{{- toJson $files }}
{{- end }}
