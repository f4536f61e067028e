{{/*
Names. A full name has at most 46 characters, as two objects reach a limit of 63 with it: the install Job (46 + "-install-" and
8 digits), and the label controller-revision-hash of the database's pods (46 + "-mysql-" and 10 digits). See docs/names.md.
*/}}
{{- define "wordpress-ha.name" -}}
{{- .Values.nameOverride | default .Chart.Name }}
{{- end }}

{{- define "wordpress-ha.fullname" -}}
{{- $name := include "wordpress-ha.name" . }}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) }}
{{- .Values.fullnameOverride | default $full | trunc 46 | trimAll "-" }}
{{- end }}

{{/* One sentence for a release whose names Kubernetes would refuse. */}}
{{- define "wordpress-ha.nameProblems" -}}
{{- $fullname := include "wordpress-ha.fullname" . }}
{{- if not (regexMatch "^[a-z][-a-z0-9]*$" $fullname) }}
fullnameOverride: Service names would start with {{ $fullname }}, but must start with a letter and contain no dot; write for example {{ regexReplaceAll "^[^a-z]+" ($fullname | replace "." "-") "" | default "blog" }}.
{{- end }}
{{- end }}

{{/*
A text that fits an engine's limit, and stays what it is when it fits already: else its beginning and eight digits of its hash.
Usage: include "wordpress-ha.shorten" (list TEXT LIMIT)
*/}}
{{- define "wordpress-ha.shorten" -}}
{{- $text := index . 0 -}}
{{- $limit := index . 1 | int -}}
{{- if le (len $text) $limit -}}
{{- $text -}}
{{- else -}}
{{- printf "%s-%s" (trunc (int (sub $limit 9)) $text | trimAll "-.") (sha256sum $text | trunc 8) -}}
{{- end -}}
{{- end }}

{{/*
What selectors match: never changes between versions of the chart. Usage: include "wordpress-ha.selectorLabels" (list . "etcd")
*/}}
{{- define "wordpress-ha.selectorLabels" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "wordpress-ha.name" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{/* Files of the chart as the data of a ConfigMap. Usage: include "wordpress-ha.files" (list . GLOB...) */}}
{{- define "wordpress-ha.files" -}}
{{- $files := (index . 0).Files -}}
{{- range $glob := rest . }}
{{- range $path, $_ := $files.Glob $glob }}
{{ base $path }}: |
  {{- $files.Get $path | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}

{{/*
The full name of an image. Usage: include "wordpress-ha.image" (list . .Values.etcd.image)
A digest wins over the tag; global.imageRegistry replaces the registry of every image.
*/}}
{{- define "wordpress-ha.image" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- $registry := $root.Values.global.imageRegistry | default $image.registry -}}
{{- if $image.digest -}}
{{- printf "%s/%s@%s" $registry $image.repository $image.digest -}}
{{- else -}}
{{- printf "%s/%s:%s" $registry $image.repository (toString $image.tag) -}}
{{- end -}}
{{- end }}

{{- define "wordpress-ha.imagePullSecrets" -}}
{{- with .Values.global.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{/*
The security context of every pod but the NFS server's. Usage: include "wordpress-ha.podSecurityContext" 1001
The group owns the volumes; only a volume whose root has another owner is walked, not every volume at every start.
*/}}
{{- define "wordpress-ha.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end }}

{{- define "wordpress-ha.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/*
Where the pods of a tier may run. Usage: include "wordpress-ha.scheduling" (list . "etcd" .Values.etcd)
`spread: required` puts no two pods of the tier on one node; `preferred` tries to. `affinity` replaces the rule.
*/}}
{{- define "wordpress-ha.scheduling" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $tier := index . 2 -}}
{{- with $tier.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $tier.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $tier.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- if $tier.affinity }}
affinity:
  {{- toYaml $tier.affinity | nindent 2 }}
{{- else if $tier.spread }}
affinity:
  podAntiAffinity:
    {{- if eq $tier.spread "required" }}
    requiredDuringSchedulingIgnoredDuringExecution:
      - topologyKey: kubernetes.io/hostname
        labelSelector:
          matchLabels:
            {{- include "wordpress-ha.selectorLabels" (list $root $component) | nindent 12 }}
    {{- else }}
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 100
        podAffinityTerm:
          topologyKey: kubernetes.io/hostname
          labelSelector:
            matchLabels:
              {{- include "wordpress-ha.selectorLabels" (list $root $component) | nindent 14 }}
    {{- end }}
{{- end }}
{{- with $tier.topologySpreadConstraints }}
topologySpreadConstraints:
  {{- range . }}
  - {{ toYaml . | nindent 4 | trim }}
    {{- if not .labelSelector }}
    labelSelector:
      matchLabels:
        {{- include "wordpress-ha.selectorLabels" (list $root $component) | nindent 8 }}
    {{- end }}
  {{- end }}
{{- end }}
{{- end }}

{{/*
A quantity as Kubernetes writes it. For Helm, a number in a values file is a float, which it would print as 1.073741824e+09.
Usage: include "wordpress-ha.quantity" .Values.etcd.storage.size
*/}}
{{- define "wordpress-ha.quantity" -}}
{{- if kindIs "float64" . }}{{ printf "%.0f" . }}{{ else }}{{ . }}{{ end -}}
{{- end }}

{{/* A quantity in bytes, rounded down. Usage: include "wordpress-ha.bytes" "1Gi" */}}
{{- define "wordpress-ha.bytes" -}}
{{- $text := include "wordpress-ha.quantity" . -}}
{{- $unit := regexFind "[A-Za-z]*$" $text -}}
{{- $bytes := dict "m" 1e-3 "" 1.0 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "E" 1e18
      "Ki" 1024.0 "Mi" 1048576.0 "Gi" 1073741824.0 "Ti" 1099511627776.0 "Pi" 1125899906842624.0 "Ei" 1152921504606846976.0 -}}
{{- mulf (trimSuffix $unit $text | float64) (get $bytes $unit) | floor | int64 -}}
{{- end }}

{{/* A quantity in MiB, rounded down. Usage: include "wordpress-ha.mebibytes" "1Gi" */}}
{{- define "wordpress-ha.mebibytes" -}}
{{- div (include "wordpress-ha.bytes" . | int64) 1048576 -}}
{{- end }}

{{/*
The claim of one volume. Usage: include "wordpress-ha.claim" (list "ReadWriteOnce" .Values.etcd.storage)
*/}}
{{- define "wordpress-ha.claim" -}}
{{- $storage := index . 1 -}}
accessModes: [{{ index . 0 }}]
{{- if eq (toString $storage.storageClass) "-" }}
storageClassName: ""
{{- else if $storage.storageClass }}
storageClassName: {{ $storage.storageClass }}
{{- end }}
resources:
  requests:
    storage: {{ include "wordpress-ha.quantity" $storage.size }}
{{- end }}

{{/* Secrets: given by the user, or made once by the secrets Job. */}}
{{- define "wordpress-ha.databaseSecret" -}}
{{- $made := ternary "external-database" "database" (eq .Values.database.topology "external") }}
{{- .Values.database.existingSecret | default (printf "%s-%s" (include "wordpress-ha.fullname" .) $made) }}
{{- end }}

{{/* The key of the account's password in that Secret. */}}
{{- define "wordpress-ha.databasePasswordKey" -}}
{{- ternary .Values.database.external.passwordKey "password" (and (eq .Values.database.topology "external") (ne .Values.database.existingSecret "")) }}
{{- end }}

{{- define "wordpress-ha.wordpressSecret" -}}
{{- .Values.wordpress.existingSecret | default (printf "%s-wordpress" (include "wordpress-ha.fullname" .)) }}
{{- end }}

{{/* Which tiers a topology has: "true" or nothing. */}}
{{- define "wordpress-ha.hasEtcd" -}}
{{- if has .Values.database.topology (list "galera" "replication") }}true{{ end }}
{{- end }}

{{- define "wordpress-ha.hasDatabase" -}}
{{- if ne .Values.database.topology "external" }}true{{ end }}
{{- end }}

{{/* Whether pods reach the database through a router of their own: wherever there are several hosts to choose from, or may be. */}}
{{- define "wordpress-ha.hasRouter" -}}
{{- if or (include "wordpress-ha.hasDatabase" .) (gt (len .Values.database.external.hosts) 1) }}true{{ end }}
{{- end }}

{{/* How many database pods there are. */}}
{{- define "wordpress-ha.databaseReplicas" -}}
{{- if eq .Values.database.topology "standalone" }}1{{ else if eq .Values.database.topology "external" }}0{{ else }}{{ .Values.database.replicas }}{{ end }}
{{- end }}

{{/*
The cluster's DNS domain, without the dot that some people end it with.
*/}}
{{- define "wordpress-ha.clusterDomain" -}}
{{ trimSuffix "." .Values.clusterDomain }}
{{- end }}

{{/*
The DNS names of a StatefulSet's pods, one a line. Usage: include "wordpress-ha.podNames" (list . "mysql" 3)
*/}}
{{- define "wordpress-ha.podNames" -}}
{{- $root := index . 0 -}}
{{- $set := printf "%s-%s" (include "wordpress-ha.fullname" $root) (index . 1) -}}
{{- range $i := until (int (index . 2)) }}
{{- if $i }}
{{ end }}
{{- printf "%s-%d.%s.%s.svc.%s" $set $i $set $root.Release.Namespace (include "wordpress-ha.clusterDomain" $root) }}
{{- end }}
{{- end }}

{{/*
Every object's namespace is written by Helm; scripts that build DNS names get it from here.
*/}}
{{- define "wordpress-ha.namespace" -}}
{{- .Release.Namespace }}
{{- end }}
