{{/*
The standard keys: what every tier and every Job takes, in one form (docs/standard-keys.md). By component: where its values are, the suffix of its
account's name, and what a Job takes from wordpress where neither it nor `pods` says otherwise.
Usage: include "wordpress-ha.component" (list . "wordpress-cron"), which gives one of them with its own values, as JSON; empty for what has none.
*/}}
{{- define "wordpress-ha.component" -}}
{{- $place := list "nodeSelector" "tolerations" "affinity" "priorityClassName" -}}
{{- $php := concat $place (list "podSecurityContext" "securityContext" "runtimeClassName" "dnsConfig" "hostAliases") -}}
{{- $site := append $php "extraEnvFrom" -}}
{{- $components := dict
      "etcd" (dict "values" "etcd" "suffix" "-etcd")
      "database" (dict "values" "database" "suffix" "-mysql")
      "nfs" (dict "values" "nfs" "suffix" "-nfs")
      "wordpress" (dict "values" "wordpress" "suffix" "")
      "wordpress-install" (dict "values" "wordpress.install" "suffix" "-install" "inherits" $site "account" "wordpress")
      "wordpress-cron" (dict "values" "wordpress.cron" "suffix" "-cron" "inherits" $site "account" "wordpress")
      "wordpress-test" (dict "values" "wordpress.test" "suffix" "-test" "inherits" $php)
      "database-check" (dict "values" "database.external.check" "suffix" "-database-check" "inherits" $php)
      "secrets" (dict "values" "secrets" "suffix" "-secrets" "inherits" $place) -}}
{{- $component := get $components (index . 1) | default dict -}}
{{- $own := dict -}}
{{- with $component.values -}}
{{- $own = (index $ 0).Values -}}
{{- range splitList "." . }}{{ $own = get $own . }}{{ end -}}
{{- $own = pick $own "labels" "annotations" "podLabels" "podAnnotations" "serviceAccount" "nodeSelector" "tolerations" "affinity" "spread"
      "topologySpreadConstraints" "priorityClassName" "runtimeClassName" "podSecurityContext" "securityContext" "extraEnv" "extraEnvFrom" "extraVolumes"
      "extraVolumeMounts" "initContainers" "sidecars" "startupProbe" "livenessProbe" "readinessProbe" "lifecycle" "terminationGracePeriodSeconds"
      "updateStrategy" "hostAliases" "dnsConfig" -}}
{{- end -}}
{{- merge (dict "own" $own) $component | toJson -}}
{{- end }}

{{/*
The standard keys of a component, as JSON: those of `pods`, then those that a Job takes from wordpress, then its own. Maps are joined key by key,
lists are appended, everything else is replaced. A null stays: it removes what the chart has. Usage: include "wordpress-ha.keys" (list . "etcd")
*/}}
{{- define "wordpress-ha.keys" -}}
{{- $values := (index . 0).Values -}}
{{- $component := include "wordpress-ha.component" . | fromJson -}}
{{- $keys := dict -}}
{{- if $component.values -}}
{{- $own := $component.own -}}
{{- $pods := $values.pods -}}
{{- if eq $component.values "wordpress" }}{{ $own = omit $own "extraEnv" "extraVolumes" "extraVolumeMounts" }}{{ end -}}
{{- /* The NFS server needs its user and its capabilities, whatever other pods have. */ -}}
{{- if eq $component.values "nfs" }}{{ $pods = omit $pods "podSecurityContext" "securityContext" }}{{ end -}}
{{- $inherited := dict -}}
{{- range $component.inherits }}{{ if hasKey $values.wordpress . }}{{ $_ := set $inherited . (get $values.wordpress .) }}{{ end }}{{ end -}}
{{- range $layer := list $pods $inherited $own -}}
{{- range $name, $value := $layer -}}
{{- $former := get $keys $name -}}
{{- if kindIs "slice" $value -}}
{{- $_ := set $keys $name (concat ($former | default list) $value) -}}
{{- else if and (kindIs "map" $value) (ne $name "affinity") -}}
{{- $joined := deepCopy ($former | default dict) -}}
{{- range $k, $v := $value }}{{ $_ := set $joined $k $v }}{{ end -}}
{{- $_ := set $keys $name $joined -}}
{{- else if or $value (kindIs "float64" $value) -}}
{{- $_ := set $keys $name $value -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $keys -}}
{{- end }}

{{/* A map of the chart's, and one of the user's over it, in which null removes a key; as JSON. Usage: include "wordpress-ha.over" (list OURS THEIRS) */}}
{{- define "wordpress-ha.over" -}}
{{- $result := deepCopy (index . 0 | default dict) -}}
{{- range $name, $value := index . 1 | default dict -}}
{{- if kindIs "invalid" $value }}{{ $_ := unset $result $name }}{{ else }}{{ $_ := set $result $name $value }}{{ end -}}
{{- end -}}
{{- toJson $result -}}
{{- end }}

{{/*
Labels and annotations of an object of one component: the user's for all objects, for those of the tier, and what this object has itself.
Usage: include "wordpress-ha.metadata" (list . "etcd"), and as third argument, if need be, (dict "labels" MAP "annotations" MAP)
*/}}
{{- define "wordpress-ha.metadata" -}}
{{- $root := index . 0 -}}
{{- $values := $root.Values -}}
{{- $own := (include "wordpress-ha.component" . | fromJson).own -}}
{{- $object := dict -}}
{{- if gt (len .) 2 }}{{ $object = index . 2 }}{{ end -}}
{{- $labels := dict
      "helm.sh/chart" (printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-")
      "app.kubernetes.io/name" (include "wordpress-ha.name" $root)
      "app.kubernetes.io/instance" $root.Release.Name
      "app.kubernetes.io/component" (index . 1)
      "app.kubernetes.io/version" $root.Chart.AppVersion
      "app.kubernetes.io/managed-by" $root.Release.Service
      "app.kubernetes.io/part-of" "wordpress-ha" -}}
{{- range list $values.commonLabels $own.labels $object.labels }}{{ range $key, $value := . }}{{ $_ := set $labels $key $value }}{{ end }}{{ end -}}
{{- $annotations := dict -}}
{{- range list $values.commonAnnotations $own.annotations $object.annotations }}{{ range $key, $value := . }}{{ $_ := set $annotations $key $value }}{{ end }}{{ end -}}
labels:
  {{- toYaml $labels | nindent 2 }}
{{- with $annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Ends the rendering with a sentence: what is wrong, where, what to write instead. */}}
{{- define "wordpress-ha.refuse" -}}
{{- fail (printf "\n\nThese values cannot work:\n%s\n" .) -}}
{{- end }}

{{/*
Refuses a name that a list has twice: the chart's, and one of the user's, whose place it names.
Usage: include "wordpress-ha.unique" (list ROOT LIST FIELD COMPONENT_PATH KEYS WHAT)
*/}}
{{- define "wordpress-ha.unique" -}}
{{- $field := index . 2 -}}
{{- $seen := dict -}}
{{- $twice := "" -}}
{{- range index . 1 -}}
{{- $name := get . $field -}}
{{- if hasKey $seen $name }}{{ $twice = $name }}{{ end -}}
{{- $_ := set $seen $name true -}}
{{- end -}}
{{- if $twice -}}
{{- $place := "" -}}
{{- range $path := list "pods" "wordpress" (index . 3) -}}
{{- $values := (index $ 0).Values -}}
{{- range splitList "." $path }}{{ $values = get $values . }}{{ end -}}
{{- range $key := index $ 4 -}}
{{- range get $values $key | default list }}{{ if eq (get . $field) $twice }}{{ $place = printf "%s.%s" $path $key }}{{ end }}{{ end -}}
{{- end -}}
{{- end -}}
{{- include "wordpress-ha.refuse" (printf "%s: the pod has a %s %s already; choose another one." $place (index . 5) $twice) -}}
{{- end -}}
{{- end }}

{{/*
An object that runs pods, with all standard keys. Every pod of the chart is made here, so that none of them misses one.
Usage: include "wordpress-ha.workload" (list . COMPONENT TEMPLATE), where TEMPLATE is the name of one that writes the object without them.
*/}}
{{- define "wordpress-ha.workload" -}}
{{- $root := index . 0 -}}
{{- $name := index . 1 -}}
{{- $object := include (index . 2) $root | fromYaml -}}
{{- with $object.Error }}{{ fail (printf "%s is no YAML: %s" $name .) }}{{ end -}}
{{- $keys := include "wordpress-ha.keys" . | fromJson -}}
{{- $where := (include "wordpress-ha.component" . | fromJson).values -}}
{{- $kind := $object.kind -}}
{{- $template := $object -}}
{{- if eq $kind "CronJob" }}{{ $template = $object.spec.jobTemplate.spec.template }}{{ else if ne $kind "Pod" }}{{ $template = $object.spec.template }}{{ end -}}
{{- /* Labels and annotations. */ -}}
{{- $metadata := $template.metadata -}}
{{- $labels := include "wordpress-ha.over" (list $metadata.labels $root.Values.commonLabels) | fromJson -}}
{{- $_ := set $metadata "labels" (include "wordpress-ha.over" (list $labels $keys.podLabels) | fromJson) -}}
{{- $annotations := include "wordpress-ha.over" (list $metadata.annotations $keys.podAnnotations) | fromJson -}}
{{- if $annotations }}{{ $_ := set $metadata "annotations" $annotations }}{{ end -}}
{{- /* The pod. A Service called "wordpress" or "etcd" would otherwise put variables into the environment that PHP or etcd reads. */ -}}
{{- $spec := $template.spec -}}
{{- $_ := set $spec "enableServiceLinks" false -}}
{{- if not (hasKey $spec "automountServiceAccountToken") }}{{ $_ := set $spec "automountServiceAccountToken" false }}{{ end -}}
{{- if not $spec.serviceAccountName }}
{{- with include "wordpress-ha.account" (list $root $name) }}{{ $_ := set $spec "serviceAccountName" . }}{{ end }}
{{- end -}}
{{- range $field, $value := merge (include "wordpress-ha.imagePullSecrets" $root | fromYaml) (include "wordpress-ha.scheduling" (list $root $name $keys) | fromYaml) (pick $keys "runtimeClassName" "dnsConfig") -}}
{{- if $value }}{{ $_ := set $spec $field $value }}{{ end -}}
{{- end -}}
{{- with concat ($spec.hostAliases | default list) ($keys.hostAliases | default list) }}{{ $_ := set $spec "hostAliases" . }}{{ end -}}
{{- $_ := set $spec "securityContext" (include "wordpress-ha.over" (list $spec.securityContext $keys.podSecurityContext) | fromJson) -}}
{{- with $keys.terminationGracePeriodSeconds -}}
{{- $least := $spec.terminationGracePeriodSeconds | default 0 -}}
{{- if lt (int .) (int $least) }}{{ include "wordpress-ha.refuse" (printf "%s.terminationGracePeriodSeconds: the pod needs %d seconds to stop without a failed request or a lost write; write at least %d." $where (int $least) (int $least)) }}{{ end -}}
{{- $_ := set $spec "terminationGracePeriodSeconds" . -}}
{{- end -}}
{{- /* Containers of the chart, before those of the user are added. */ -}}
{{- range $container := concat ($spec.initContainers | default list) $spec.containers -}}
{{- $_ := set $container "securityContext" (include "wordpress-ha.over" (list $container.securityContext $keys.securityContext) | fromJson) -}}
{{- end -}}
{{- range $container := $spec.containers -}}
{{- $probes := $keys -}}
{{- if and (eq $name "wordpress") (eq $container.name "nginx") -}}
{{- $probes = $root.Values.wordpress.nginx -}}
{{- else -}}
{{- include "wordpress-ha.mainContainer" (list $container $keys $where $root) -}}
{{- end -}}
{{- range $probe := list "startupProbe" "livenessProbe" "readinessProbe" -}}
{{- with get $probes $probe -}}
{{- if not (hasKey $container $probe) }}{{ include "wordpress-ha.refuse" (printf "%s.%s: the container %s has none, as its start may take any time; leave it out." $where $probe $container.name) }}{{ end -}}
{{- $_ := set $container $probe (include "wordpress-ha.over" (list (get $container $probe) .) | fromJson) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- /* Of two variables with one name, the one that the user has added to the chart's stays. */ -}}
{{- range $container := concat ($spec.initContainers | default list) $spec.containers -}}
{{- if $container.env -}}
{{- $names := list }}{{ $env := list -}}
{{- range reverse $container.env }}{{ if not (has .name $names) }}{{ $names = append $names .name }}{{ $env = prepend $env . }}{{ end }}{{ end -}}
{{- $_ := set $container "env" $env -}}
{{- end -}}
{{- end -}}
{{- /* Containers and volumes of the user. */ -}}
{{- with $keys.initContainers }}{{ $_ := set $spec "initContainers" (concat ($spec.initContainers | default list) .) }}{{ end -}}
{{- with $keys.sidecars }}{{ $_ := set $spec "containers" (concat $spec.containers .) }}{{ end -}}
{{- with $keys.extraVolumes }}{{ $_ := set $spec "volumes" (concat ($spec.volumes | default list) .) }}{{ end -}}
{{- include "wordpress-ha.unique" (list $root (concat ($spec.initContainers | default list) $spec.containers) "name" $where (list "initContainers" "sidecars") "container") -}}
{{- include "wordpress-ha.unique" (list $root ($spec.volumes | default list) "name" $where (list "extraVolumes") "volume") -}}
{{- /* How the pods are replaced. */ -}}
{{- with $keys.updateStrategy -}}
{{- include "wordpress-ha.updateProblem" (list $object $where .) -}}
{{- $field := ternary "strategy" "updateStrategy" (eq $kind "Deployment") -}}
{{- $_ := set $object.spec $field (include "wordpress-ha.over" (list (get $object.spec $field) .) | fromJson) -}}
{{- end -}}
{{- /* A Job cannot be changed, so its name has a hash of what it does: other content, another Job. A hook is made anew each time. */ -}}
{{- if and (eq $kind "Job") (not (hasKey ($object.metadata.annotations | default dict) "helm.sh/hook")) -}}
{{- $_ := set $object.metadata "name" (printf "%s-%s" $object.metadata.name (toYaml $object.spec | sha256sum | trunc 8)) -}}
{{- end -}}
{{- toYaml $object }}
{{- end }}

{{/* Environment, mounts and lifecycle of a tier's main container. Usage: include "wordpress-ha.mainContainer" (list CONTAINER KEYS PATH ROOT) */}}
{{- define "wordpress-ha.mainContainer" -}}
{{- $container := index . 0 -}}
{{- $keys := index . 1 -}}
{{- $where := index . 2 -}}
{{- with $keys.extraEnv }}{{ $_ := set $container "env" (concat ($container.env | default list) .) }}{{ end -}}
{{- with $keys.extraEnvFrom }}{{ $_ := set $container "envFrom" . }}{{ end -}}
{{- with $keys.extraVolumeMounts }}{{ $_ := set $container "volumeMounts" (concat ($container.volumeMounts | default list) .) }}{{ end -}}
{{- include "wordpress-ha.unique" (list (index . 3) ($container.volumeMounts | default list) "mountPath" $where (list "extraVolumeMounts") "mount at") -}}
{{- with $keys.lifecycle -}}
{{- if and .preStop ($container.lifecycle).preStop }}{{ include "wordpress-ha.refuse" (printf "%s.lifecycle.preStop: the chart's own drains the pod, and a container has one; leave it out, or give one to a container of yours in %s.sidecars." $where $where) }}{{ end -}}
{{- $_ := set $container "lifecycle" (include "wordpress-ha.over" (list $container.lifecycle .) | fromJson) -}}
{{- end -}}
{{- end }}

{{/* Ways to replace pods that break a promise. Usage: include "wordpress-ha.updateProblem" (list OBJECT PATH STRATEGY) */}}
{{- define "wordpress-ha.updateProblem" -}}
{{- $object := index . 0 -}}
{{- $where := index . 1 -}}
{{- $strategy := index . 2 -}}
{{- $rolling := $strategy.rollingUpdate | default dict -}}
{{- if eq $object.kind "Deployment" -}}
{{- if eq ($strategy.type | default "RollingUpdate") "OnDelete" }}{{ include "wordpress-ha.refuse" (printf "%s.updateStrategy.type: a Deployment has no OnDelete; leave it out, and set rollingUpdate." $where) }}{{ end -}}
{{- if hasKey $rolling "partition" }}{{ include "wordpress-ha.refuse" (printf "%s.updateStrategy.rollingUpdate.partition: a Deployment has none; write maxSurge or maxUnavailable." $where) }}{{ end -}}
{{- if and $rolling (eq $object.spec.strategy.type "Recreate") }}{{ include "wordpress-ha.refuse" (printf "%s.updateStrategy: two pods cannot have a ReadWriteOnce volume, so the old pod ends first; leave it out." $where) }}{{ end -}}
{{- else -}}
{{- if hasKey $rolling "maxSurge" }}{{ include "wordpress-ha.refuse" (printf "%s.updateStrategy.rollingUpdate.maxSurge: a StatefulSet has no pods to spare; write partition, or leave it out." $where) }}{{ end -}}
{{- if hasKey $rolling "maxUnavailable" }}{{ include "wordpress-ha.refuse" (printf "%s.updateStrategy.rollingUpdate.maxUnavailable: members are replaced one by one, as two at a time could cost the majority; leave it out." $where) }}{{ end -}}
{{- end -}}
{{- end }}

{{/*
The name of a component's ServiceAccount; empty: the namespace's default one. Usage: include "wordpress-ha.account" (list . "etcd"), and as
third argument the suffix of the name, where a component has more than one.
*/}}
{{- define "wordpress-ha.account" -}}
{{- $root := index . 0 -}}
{{- $component := include "wordpress-ha.component" . | fromJson -}}
{{- $account := $component.own.serviceAccount | default dict -}}
{{- if $account.name -}}
{{- $account.name -}}
{{- else if $account.create -}}
{{- include "wordpress-ha.fullname" $root }}{{ ternary (last .) $component.suffix (gt (len .) 2) -}}
{{- else if $component.account -}}
{{- include "wordpress-ha.account" (list $root $component.account) -}}
{{- end -}}
{{- end }}

{{/* That ServiceAccount, if the chart makes it. Usage: as above; as fourth argument annotations of its own */}}
{{- define "wordpress-ha.serviceAccount" -}}
{{- $root := index . 0 -}}
{{- $account := (include "wordpress-ha.component" . | fromJson).own.serviceAccount | default dict -}}
{{- if $account.create -}}
{{- $annotations := $account.annotations | default dict -}}
{{- if gt (len .) 3 }}{{ $annotations = include "wordpress-ha.over" (list $annotations (index . 3)) | fromJson }}{{ end -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "wordpress-ha.account" (slice . 0 (min 3 (len .) | int)) }}
  {{- include "wordpress-ha.metadata" (list $root (index . 1) (dict "annotations" $annotations)) | nindent 2 }}
# Pods that need the API ask for a token themselves.
automountServiceAccountToken: false
{{- end }}
{{- end }}

{{/* One sentence, on a line of its own, for each standard key that cannot be allowed. */}}
{{- define "wordpress-ha.standardProblems" -}}
{{- $root := . -}}
{{- $maps := dict "commonLabels" .Values.commonLabels "pods.podLabels" .Values.pods.podLabels "commonAnnotations" .Values.commonAnnotations "pods.podAnnotations" .Values.pods.podAnnotations }}
{{- range $name := list "etcd" "database" "nfs" "wordpress" "wordpress-install" "wordpress-cron" "wordpress-test" "database-check" "secrets" }}
{{- $component := include "wordpress-ha.component" (list $root $name) | fromJson }}
{{- $own := $component.own }}
{{- range $key := list "labels" "podLabels" "annotations" "podAnnotations" }}{{ $_ := set $maps (printf "%s.%s" $component.values $key) (get $own $key | default dict) }}{{ end }}
{{- $account := $own.serviceAccount | default dict }}
{{- if and (has $name (list "secrets" "nfs")) (not $account.create) (not $account.name) }}
{{ $component.values }}.serviceAccount.name: these pods need the Kubernetes API; name an account, or set create=true.
{{- end }}
{{- end }}
{{- range $where, $map := $maps }}
{{- range $key := keys ($map | default dict) | sortAlpha }}
{{- if regexMatch "^(helm[.]sh/|checksum/|app[.]kubernetes[.]io/(name|instance|component|managed-by)$)" $key }}
{{ $where }}: {{ $key }} belongs to the chart and to Helm, which find objects and pods by it; choose another key.
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{/* Annotations of a Helm hook. Usage: include "wordpress-ha.hook" (list WHEN WEIGHT DELETE_POLICY) */}}
{{- define "wordpress-ha.hook" -}}
helm.sh/hook: {{ index . 0 }}
helm.sh/hook-weight: {{ index . 1 | quote }}
helm.sh/hook-delete-policy: {{ index . 2 }}
{{- end }}
