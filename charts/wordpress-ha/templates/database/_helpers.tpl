{{/* The scripts of the database's pods: those of every topology, those of this one, and the client of etcd. */}}
{{- define "wordpress-ha.databaseScripts" -}}
{{ (.Files.Glob "files/database/*").AsConfig }}
{{ (.Files.Glob (printf "files/database/%s/*.sh" .Values.database.topology)).AsConfig }}
{{- if include "wordpress-ha.hasEtcd" . }}
{{ (.Files.Glob "files/etcd/client.sh").AsConfig }}
{{- end }}
{{- end }}

{{/* [mysqld] settings of the user: "true" and "false" become ON and OFF. */}}
{{- define "wordpress-ha.databaseUserConfig" -}}
[mysqld]
{{- range $name, $value := .Values.database.config }}
{{ $name }}={{ if kindIs "bool" $value }}{{ ternary "ON" "OFF" $value }}{{ else if kindIs "float64" $value }}{{ int64 $value }}{{ else }}{{ $value }}{{ end }}
{{- end }}
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
  ports:
    {{- include "wordpress-ha.containerPorts" (list "database" "agent") | nindent 4 }}
  securityContext:
    {{- include "wordpress-ha.containerSecurityContext" . | nindent 4 }}
  resources:
    requests: {cpu: 20m, memory: 32Mi}
    limits: {memory: 128Mi}
  volumeMounts:
    - {name: scripts, mountPath: /scripts, readOnly: true}
    - {name: run, mountPath: /run/member}
    - {name: credentials, mountPath: /run/credentials}
    - {name: tmp, mountPath: /tmp, subPath: agent}
    - {name: secret, mountPath: /secrets, readOnly: true}
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
- name: secret
  secret:
    secretName: {{ include "wordpress-ha.databaseSecret" . }}
    defaultMode: 0440
- name: run
  emptyDir: {sizeLimit: 1Mi}
# Option files with passwords: in memory, never on a disk.
- name: credentials
  emptyDir: {medium: Memory, sizeLimit: 1Mi}
- name: tmp
  emptyDir: {}
{{- end }}
