{{/*
The ports of each tier, by name: those of the containers, of the Services and of the network policies. As JSON: it is read often, and YAML
takes ten times as long.
*/}}
{{- define "wordpress-ha.ports" -}}
{
  "etcd": {"client": 2379, "peer": 2380, "metrics": 2381, "status": 2382},
  "database": {"mysql": 3306, "agent": 9200, "galera": 4567, "ist": 4568, "sst": 4444, "clone": 4444, "client": 3307, "read": 3308, "proxy-health": 8404, "metrics": 9205},
  "nfs": { {{- range $i, $port := include "wordpress-ha.nfsPorts" . | fromJsonArray }}{{ if $i }}, {{ end }}"{{ $port.name }}": {{ $port.port }}{{ end -}} },
  "wordpress": {"http": 8080, "status": 8081, "router-health": 8404, "metrics": 9205}
}
{{- end }}

{{/* A port's number. Usage: include "wordpress-ha.port" (list "etcd" "client") */}}
{{- define "wordpress-ha.port" -}}
{{- index (include "wordpress-ha.ports" . | fromJson) (index . 0) (index . 1) | int -}}
{{- end }}

{{/* Ports of a container. Usage: include "wordpress-ha.containerPorts" (list "etcd" "client" "peer") */}}
{{- define "wordpress-ha.containerPorts" -}}
{{- $tier := first . -}}
{{- range $i, $name := rest . }}{{ if $i }}
{{ end -}}
- {name: {{ . }}, containerPort: {{ include "wordpress-ha.port" (list $tier .) }}}
{{- end }}
{{- end }}

{{/* Ports of a headless Service, which are those of its containers. Usage: as above */}}
{{- define "wordpress-ha.headlessPorts" -}}
{{- $tier := first . -}}
{{- range $i, $name := rest . }}{{ if $i }}
{{ end -}}
- {name: {{ . }}, port: {{ include "wordpress-ha.port" (list $tier .) }}, targetPort: {{ . }}}
{{- end }}
{{- end }}

{{/* The components that run PHP, as a JSON list. */}}
{{- define "wordpress-ha.phpComponents" -}}
{{- $php := list "wordpress" "wordpress-install" -}}
{{- if .Values.wordpress.cron.enabled }}{{ $php = append $php "wordpress-cron" }}{{ end -}}
{{- toJson $php -}}
{{- end }}

{{/* Whether a Job looks at the external database before each installation. */}}
{{- define "wordpress-ha.checksDatabase" -}}
{{- if and (eq .Values.database.topology "external") .Values.database.external.check.enabled }}true{{ end -}}
{{- end }}

{{/*
Who talks to whom in a release: the architecture, and nothing else is allowed where networkPolicy.enabled. Components are
the values of the label app.kubernetes.io/component. The kubelet's probes are not here: a pod's own node always reaches it.
*/}}
{{- define "wordpress-ha.flows" -}}
{{- $php := include "wordpress-ha.phpComponents" . | fromJsonArray -}}
{{- if include "wordpress-ha.hasDatabase" . }}
# The routers check every member, and connect to the one that takes writes.
- {from: {{ toJson $php }}, to: database, ports: [mysql, agent]}
{{- end }}
{{- if eq .Values.database.topology "galera" }}
- {from: [database], to: database, ports: [agent, galera, ist, sst]}
{{- else if eq .Values.database.topology "replication" }}
- {from: [database], to: database, ports: [mysql, agent, clone]}
{{- end }}
{{- if include "wordpress-ha.hasEtcd" . }}
- {from: [database], to: etcd, ports: [client]}
- {from: [etcd], to: etcd, ports: [client, peer, status]}
{{- end }}
# The site asks itself, for example for its health; helm test asks as a visitor does.
- {from: {{ toJson (append $php "wordpress-test") }}, to: wordpress, ports: [http]}
{{- if .Values.wordpress.cache.enabled }}
# What changes pages tells the web pods which.
- {from: {{ toJson $php }}, to: wordpress, ports: [status]}
{{- end }}
{{- end }}

{{/*
Who comes in from outside of the release. peers: NetworkPolicyPeers. Without any: everybody if "open", else nobody.
*/}}
{{- define "wordpress-ha.entries" -}}
{{- $from := .Values.networkPolicy.from -}}
- {to: wordpress, ports: [http], open: true, peers: {{ toJson $from.site }}}
{{- if include "wordpress-ha.hasDatabase" . }}
{{- $replication := eq .Values.database.topology "replication" }}
- {to: database, ports: [{{ ternary "client" "mysql" $replication }}], open: {{ ne .Values.database.service.type "ClusterIP" }}, peers: {{ toJson $from.database }}}
{{- if $replication }}
- {to: database, ports: [read], open: false, peers: {{ toJson $from.database }}}
{{- end }}
{{- end }}
{{- if include "wordpress-ha.hasEtcd" . }}
- {to: etcd, ports: [client], open: {{ ne .Values.etcd.service.type "ClusterIP" }}, peers: {{ toJson $from.etcd }}}
- {to: etcd, ports: {{ ternary "[metrics, status]" "[metrics]" (and .Values.metrics.enabled .Values.tls.enabled) }}, open: false, peers: {{ toJson $from.monitoring }}}
{{- end }}
{{- if .Values.metrics.enabled }}
{{- range without (include "wordpress-ha.metrics.tiers" . | fromJsonArray) "etcd" }}
- {to: {{ . }}, ports: [metrics], open: false, peers: {{ toJson $from.monitoring }}}
{{- end }}
{{- end }}
{{- if .Values.nfs.enabled }}
# Nodes mount volumes, not pods, and nothing here knows their addresses.
- {to: nfs, ports: {{ include "wordpress-ha.ports" . | fromJson | dig "nfs" dict | keys | sortAlpha | toJson }}, udp: true, open: true, peers: {{ toJson $from.nodes }}}
{{- end }}
{{- end }}

{{/*
Where pods go outside of the release. peers as above; without any: every address, or with "public" every one that is not
private. Without ports: nowhere.
*/}}
{{- define "wordpress-ha.exits" -}}
{{- $network := .Values.networkPolicy -}}
{{- $to := $network.to -}}
{{- $php := include "wordpress-ha.phpComponents" . | fromJsonArray -}}
{{- $all := concat $php (list "wordpress-test") -}}
{{- if include "wordpress-ha.hasDatabase" . }}{{ $all = append $all "database" }}{{ end -}}
{{- if include "wordpress-ha.hasEtcd" . }}{{ $all = append $all "etcd" }}{{ end -}}
{{- if include "wordpress-ha.checksDatabase" . }}{{ $all = append $all "database-check" }}{{ end -}}
{{- $api := list -}}
{{- if or (include "wordpress-ha.madeSecrets" . | trim) (include "wordpress-ha.tls.byJob" . | trim) }}{{ $api = append $api "secrets" }}{{ end -}}
{{- if .Values.nfs.enabled }}{{ $api = append $api "nfs" }}{{ end -}}
- {from: {{ toJson (concat $all $api) }}, ports: {{ toJson $to.dns.ports }}, udp: true, peers: {{ toJson $to.dns.peers }}}
{{- if $api }}
- {from: {{ toJson $api }}, ports: {{ toJson $to.apiServer.ports }}, peers: {{ toJson $to.apiServer.peers }}}
{{- end }}
{{- if eq .Values.database.topology "external" }}
- {from: {{ toJson (ternary (append $php "database-check") $php (eq (include "wordpress-ha.checksDatabase" .) "true")) }}, ports: [{{ .Values.database.external.port }}], peers: {{ toJson $to.database.peers }}}
{{- end }}
{{- with $to.updates }}
{{- if .ports }}
- {from: {{ toJson $php }}, ports: {{ toJson .ports }}, public: true, peers: {{ toJson .peers }}}
{{- end }}
{{- end }}
# Servers that the values name may have private addresses.
{{- $smtp := .Values.wordpress.smtp -}}
{{- $mail := $to.mail.ports | default (ternary (list $smtp.port) list (ne $smtp.host "")) -}}
{{- $storage := $to.storage.ports | default (include "wordpress-ha.urlPorts" (list .Values.wordpress.media.s3.endpoint) | fromJsonArray) -}}
{{- $named := list (dict "ports" $mail "peers" $to.mail.peers) (dict "ports" $storage "peers" $to.storage.peers) -}}
{{- range concat $named $to.others }}
{{- if .ports }}
- {from: {{ toJson $php }}, ports: {{ toJson .ports }}, peers: {{ toJson (.peers | default list) }}}
{{- end }}
{{- end }}
{{- $s3 := .Values.wordpress.media.s3 }}
{{- if and $s3.bucket (not $s3.existingSecret) }}
# Where a node's and a pod's role is asked for (EC2's metadata service, EKS's Pod Identity agent).
- {from: {{ toJson $php }}, ports: [80], peers: [{ipBlock: {cidr: 169.254.169.254/32}}, {ipBlock: {cidr: 169.254.170.23/32}}]}
{{- end }}
{{- $mirrors := list }}{{ range .Values.wordpress.plugins }}{{ $mirrors = append $mirrors (.url | default "") }}{{ end }}
{{- with include "wordpress-ha.urlPorts" $mirrors | fromJsonArray }}
- {from: [wordpress-install], ports: {{ toJson . }}, peers: []}
{{- end }}
{{- end }}

{{/* The ports of URLs, as a JSON list; of an empty one, none. Usage: include "wordpress-ha.urlPorts" (list URL...) */}}
{{- define "wordpress-ha.urlPorts" -}}
{{- $ports := list -}}
{{- range compact . -}}
{{- $port := regexFind ":[0-9]+$" (urlParse .).host | trimPrefix ":" -}}
{{- $ports = append $ports (int ($port | default (ternary 443 80 (hasPrefix "https:" .)))) -}}
{{- end -}}
{{- $ports | uniq | toJson -}}
{{- end }}

{{/* Every address that is not private, nor a node's own, nor a cloud's metadata service. */}}
{{- define "wordpress-ha.publicAddresses" -}}
- ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8, 100.64.0.0/10, 127.0.0.0/8, 169.254.0.0/16, 172.16.0.0/12, 192.168.0.0/16]}
- ipBlock: {cidr: "::/0", except: ["::1/128", "fc00::/7", "fe80::/10"]}
{{- end }}

{{/* Pods of the release as a NetworkPolicyPeer. Usage: include "wordpress-ha.podPeer" (list . COMPONENTS) */}}
{{- define "wordpress-ha.podPeer" -}}
podSelector:
  matchLabels:
    app.kubernetes.io/name: {{ include "wordpress-ha.name" (index . 0) }}
    app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
  matchExpressions:
    - {key: app.kubernetes.io/component, operator: In, values: {{ toJson (index . 1) }}}
{{- end }}

{{/*
NetworkPolicyPorts, as JSON. Usage: include "wordpress-ha.policyPorts" FLOW, whose ports are numbers, or names of the tier "to".
A word that is mistyped above would open or close too much in silence, and a rule without ports would open all.
*/}}
{{- define "wordpress-ha.policyPorts" -}}
{{- $flow := . -}}
{{- range $key := keys . }}
{{- if not (has $key (list "from" "to" "ports" "udp" "open" "public" "peers")) }}{{ fail (printf "a flow has no \"%s\": %v" $key $flow) }}{{ end }}
{{- end }}
{{- if not .ports }}{{ fail (printf "a flow names no ports: %v" $flow) }}{{ end }}
{{- $ports := list -}}
{{- range $port := .ports -}}
{{- if kindIs "string" $port }}{{ $port = include "wordpress-ha.port" (list $flow.to $port) }}{{ end -}}
{{- $ports = append $ports (dict "protocol" "TCP" "port" (int $port)) -}}
{{- if $flow.udp }}{{ $ports = append $ports (dict "protocol" "UDP" "port" (int $port)) }}{{ end -}}
{{- end -}}
{{- toJson $ports -}}
{{- end }}

{{/*
The rules of one component's policy. Usage: include "wordpress-ha.policyRules" (list . "etcd" FLOWS ENTRIES EXITS), whose ports are
NetworkPolicyPorts already.
*/}}
{{- define "wordpress-ha.policyRules" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $ingress := list -}}
{{- $egress := list -}}
{{- range index . 2 -}}
{{- if eq .to $component -}}
{{- $ingress = append $ingress (dict "from" (list (include "wordpress-ha.podPeer" (list $root .from) | fromYaml)) "ports" .ports) -}}
{{- end -}}
{{- if has $component .from -}}
{{- $egress = append $egress (dict "to" (list (include "wordpress-ha.podPeer" (list $root (list .to)) | fromYaml)) "ports" .ports) -}}
{{- end -}}
{{- end -}}
{{- range index . 3 -}}
{{- $rule := dict "ports" .ports -}}
{{- if and (eq .to $component) (or .open .peers) -}}
{{- with .peers }}{{ $_ := set $rule "from" . }}{{ end -}}
{{- $ingress = append $ingress $rule -}}
{{- end -}}
{{- end -}}
{{- range index . 4 -}}
{{- if has $component .from -}}
{{- $rule := dict "ports" .ports -}}
{{- $peers := .peers -}}
{{- if and .public (not $peers) }}{{ $peers = include "wordpress-ha.publicAddresses" $root | fromYamlArray }}{{ end -}}
{{- with $peers }}{{ $_ := set $rule "to" . }}{{ end -}}
{{- $egress = append $egress $rule -}}
{{- end -}}
{{- end -}}
{{- /* The API keeps no empty list: with one, each server-side apply would find a difference. policyTypes deny what has no rule. */ -}}
{{- $rules := dict -}}
{{- with $ingress }}{{ $_ := set $rules "ingress" . }}{{ end -}}
{{- with $egress }}{{ $_ := set $rules "egress" . }}{{ end -}}
{{- toYaml $rules -}}
{{- end }}
