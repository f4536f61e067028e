{{/* The scripts of the database's pods: those of every topology, those of this one, and the client of etcd. */}}
{{- define "wordpress-ha.databaseScripts" -}}
{{- $globs := list "files/database/*.sh" "files/database/mysql" (printf "files/database/%s/*.{sh,jq}" .Values.database.topology) -}}
{{- if .Values.metrics.enabled }}{{ $globs = append $globs "files/metrics/member.sh" }}{{ end -}}
{{- if include "wordpress-ha.hasEtcd" . }}{{ $globs = append $globs "files/etcd/{client,facts}.sh" }}{{ end -}}
{{- if eq .Values.database.topology "galera" }}{{ $globs = append $globs "files/database/*.jq" }}{{ end -}}
{{- if .Values.tls.enabled }}{{ $globs = append $globs "files/tls/reload-certificates.sh" }}{{ end -}}
{{- include "wordpress-ha.files" (prepend $globs .) -}}
{{- end }}

{{/* [mysqld] settings of the user: "true" and "false" become ON and OFF. */}}
{{- define "wordpress-ha.databaseUserConfig" -}}
[mysqld]
{{- range $name, $value := .Values.database.config }}
{{ $name }}={{ if kindIs "bool" $value }}{{ ternary "ON" "OFF" $value }}{{ else if kindIs "float64" $value }}{{ int64 $value }}{{ else }}{{ $value }}{{ end }}
{{- end }}
{{- end }}

{{/* The claim of each member: in a class, or for a volume on an NFS server that is bound to it by name (volumes.yaml). */}}
{{- define "wordpress-ha.databaseClaim" -}}
{{- $storage := .Values.database.storage -}}
{{- $class := $storage.storageClass -}}
{{- if $storage.nfs.volumes }}{{ $class = "-" }}{{ else if .Values.portworx.enabled }}{{ $class = $class | default (include "wordpress-ha.portworx.class" (list . "database")) }}{{ end -}}
{{- include "wordpress-ha.claim" (list "ReadWriteOnce" (dict "size" $storage.size "storageClass" $class)) }}
{{- end }}

{{/* Combinations of the tier's volumes that cannot work, one sentence a line. */}}
{{- define "wordpress-ha.databaseStorageProblems" -}}
{{- $storage := .Values.database.storage -}}
{{- $members := int (include "wordpress-ha.databaseReplicas" .) -}}
{{- if gt (len (compact (list $storage.existingClaim $storage.storageClass (ternary "nfs" "" (not (empty $storage.nfs.volumes)))))) 1 }}
database.storage: existingClaim, storageClass and nfs.volumes exclude one another; set one of them.
{{- end }}
{{- if and $storage.existingClaim (ne .Values.database.topology "standalone") }}
database.storage.existingClaim: one claim cannot serve the {{ $members }} members of the topology {{ .Values.database.topology }}; leave it empty, and make the claims data-{{ include "wordpress-ha.fullname" . }}-mysql-0 to -{{ sub $members 1 }} before the install: they are taken.
{{- end }}
{{- if and $storage.nfs.volumes (lt (len $storage.nfs.volumes) $members) }}
database.storage.nfs.volumes: {{ len $storage.nfs.volumes }} for {{ $members }} members; write one {server, path} for each.
{{- end }}
{{- end }}

{{/*
Makes the two directories on the volume that the other containers mount. The node would make them, too, but as root, and a volume
that is kept on an NFS server is not given to the pod's group: the server could not write to them.
*/}}
{{- define "wordpress-ha.databaseDirectories" -}}
- name: directories
  image: {{ include "wordpress-ha.image" (list . .Values.tools.image) }}
  imagePullPolicy: {{ .Values.tools.image.pullPolicy }}
  command: [mkdir, -p, /volume/mysql, /volume/state{{ if eq .Values.database.topology "replication" }}, /volume/dropped{{ end }}]
  securityContext:
    {{- include "wordpress-ha.containerSecurityContext" . | nindent 4 }}
  resources:
    requests: {cpu: 10m, memory: 16Mi}
    limits: {memory: 64Mi}
  volumeMounts:
    - {name: data, mountPath: /volume}
{{- end }}

{{/* The check agent: a sidecar that starts before the server and ends after it. */}}
{{- define "wordpress-ha.databaseAgent" -}}
- name: agent
  image: {{ include "wordpress-ha.image" (list . .Values.tools.image) }}
  imagePullPolicy: {{ .Values.tools.image.pullPolicy }}
  restartPolicy: Always
  command: [bash, /scripts/agent.sh]
  env:
    - name: POD_NAME
      valueFrom: {fieldRef: {fieldPath: metadata.name}}
    {{- if .Values.metrics.enabled }}
    - {name: METRICS_PORT, value: {{ include "wordpress-ha.port" (list "database" "metrics") | quote }}}
    {{- include "wordpress-ha.tls.env" . | nindent 4 }}
    {{- end }}
  ports:
    {{- include "wordpress-ha.containerPorts" (concat (list "database" "agent") (ternary (list "metrics") list .Values.metrics.enabled)) | nindent 4 }}
  securityContext:
    {{- include "wordpress-ha.containerSecurityContext" . | nindent 4 }}
  resources:
    # A member whose agent does not get to run in time counts as down: this share is what it needs where processors are scarce.
    requests: {cpu: 100m, memory: 32Mi}
    limits: {memory: 256Mi}
  volumeMounts:
    - {name: scripts, mountPath: /scripts, readOnly: true}
    - {name: run, mountPath: /run/member}
    - {name: credentials, mountPath: /run/credentials}
    - {name: tmp, mountPath: /tmp, subPath: agent}
    - {name: secret, mountPath: /secrets, readOnly: true}
    {{- if .Values.metrics.enabled }}
    {{- include "wordpress-ha.tls.mount" . | nindent 4 }}
    {{- end }}
{{- end }}

{{/*
The files with the server's settings. A pod's volume names them: a server that starts again in a pod from before tls.enabled was set
must not find settings that name certificates which this pod does not have.
*/}}
{{- define "wordpress-ha.databaseConfigFiles" -}}
{{- $files := list (printf "10-%s.cnf" .Values.database.topology) "90-values.cnf" }}
{{- if eq .Values.database.topology "standalone" }}{{ $files = append $files "20-memory.cnf" }}{{ end }}
{{- if .Values.tls.enabled }}{{ $files = append $files "30-tls.cnf" }}{{ end }}
{{- $files | sortAlpha | join " " }}
{{- end }}

{{/* Volumes that the pods of every topology have. */}}
{{- define "wordpress-ha.databaseVolumes" -}}
{{- $fullname := include "wordpress-ha.fullname" . -}}
- name: scripts
  configMap:
    name: {{ $fullname }}-mysql-scripts
    defaultMode: 0555
- name: config
  configMap:
    name: {{ $fullname }}-mysql-config
    items:
      {{- range include "wordpress-ha.databaseConfigFiles" . | splitList " " }}
      - {key: {{ . }}, path: {{ . }}}
      {{- end }}
- name: secret
  secret:
    secretName: {{ include "wordpress-ha.databaseSecret" . }}
    defaultMode: 0440
- name: run
  {{- if eq .Values.database.topology "replication" }}
  # In memory: what the server may do is not true any more when its node has booted again.
  emptyDir: {medium: Memory, sizeLimit: 4Mi}
  {{- else }}
  emptyDir: {sizeLimit: 1Mi}
  {{- end }}
# Option files with passwords: in memory, never on a disk.
- name: credentials
  emptyDir: {medium: Memory, sizeLimit: 1Mi}
- name: tmp
  emptyDir: {}
{{- include "wordpress-ha.tls.volume" (list . "database") }}
{{- end }}

{{/* The external hosts, for scripts. */}}
{{- define "wordpress-ha.external.hosts" -}}
{{- $hosts := list }}
{{- range .Values.database.external.hosts }}
{{- $hosts = append $hosts (dict "name" . "port" $.Values.database.external.port) }}
{{- end }}
{{- $hosts | toJson }}
{{- end }}

{{/* The certificate of the database's authority, as a source of a projected volume. Usage: ... (list . OPTIONAL) */}}
{{- define "wordpress-ha.databaseAuthority" -}}
{{- $root := index . 0 }}
{{- if include "wordpress-ha.wordpress.databaseAuthority" $root }}
{{- $tls := include "wordpress-ha.wordpress.databaseTls" $root | fromJson }}
- {{ ternary "secret" "configMap" (ne $tls.caSecret "") }}:
    name: {{ $tls.caSecret | default $tls.caConfigMap }}
    optional: {{ index . 1 }}
    items:
      - {key: {{ $tls.caKey }}, path: database-ca.crt}
{{- end }}
{{- end }}

{{/* One sentence, on a line of its own, for each combination of these values that cannot work. */}}
{{- define "wordpress-ha.external.problems" -}}
{{- $database := .Values.database }}
{{- $external := $database.external }}
{{- $tls := $external.tls }}
{{- if eq $database.topology "external" }}
{{- if not $external.hosts }}
database.external.hosts: say where the database is, for example [mysql.example.com].
{{- end }}
{{- if and (not $database.existingSecret) (not $external.password) }}
database.existingSecret: the account {{ $database.user }} needs its password; name a Secret with the key {{ $external.passwordKey }}, or set database.external.password.
{{- end }}
{{- if and $database.existingSecret $external.password }}
database.external.password: the password is in database.existingSecret already; set one of them.
{{- end }}
{{- if and (or $tls.caSecret $tls.caConfigMap $tls.serverName) (not $tls.enabled) }}
database.external.tls.enabled: a certificate's authority or name is given, but connections are not encrypted; set it to true.
{{- end }}
{{- if and $tls.caSecret $tls.caConfigMap }}
database.external.tls.caConfigMap: the authority is in tls.caSecret already; set one of them.
{{- end }}
{{- if gt (len $external.hosts) 1 }}
{{- range $external.hosts }}
{{- if not (contains "." .) }}
database.external.hosts: {{ . }} is not the full name of a host, which the router needs to choose between several; write for example {{ . }}.{{ $.Release.Namespace }}.svc.{{ include "wordpress-ha.clusterDomain" $ }}.
{{- end }}
{{- end }}
{{- if and $tls.enabled $tls.verify (not $tls.serverName) }}
database.external.tls.serverName: several hosts are reached through a router, so say which name the certificates of all of them carry; or set tls.verify=false.
{{- end }}
{{- else if $tls.serverName }}
database.external.tls.serverName: a single host is checked by its own name; name it in database.external.hosts as its certificate does, and leave serverName empty.
{{- end }}
{{- else }}
{{- if not (regexMatch "^[A-Za-z0-9_]+$" $database.name) }}
database.name: the servers of this release take letters, digits and _ in a schema's name; write for example wordpress.
{{- end }}
{{- if not (regexMatch "^[A-Za-z0-9_]{1,32}$" $database.user) }}
database.user: the servers of this release take up to 32 letters, digits and _ in an account's name; write for example wordpress.
{{- end }}
{{- end }}
{{- end }}
