{{/* The database as WordPress sees it: the router in its own pod, or the one server outside. */}}
{{- define "wordpress-ha.wordpress.databaseHost" -}}
{{- if include "wordpress-ha.hasRouter" . }}
{{- include "wordpress-ha.wordpress.routerName" . }}:3306
{{- else }}
{{- first .Values.database.external.hosts }}:{{ .Values.database.external.port }}
{{- end }}
{{- end }}

{{/* How WordPress encrypts its connections to the database, as JSON of the form of database.external.tls. */}}
{{- define "wordpress-ha.wordpress.databaseTls" -}}
{{- if eq .Values.database.topology "external" }}
{{- .Values.database.external.tls | toJson }}
{{- else if .Values.tls.enabled }}
{{- $name := printf "%s-mysql-client.%s.svc.%s" (include "wordpress-ha.fullname" .) .Release.Namespace (include "wordpress-ha.clusterDomain" .) }}
{{- dict "enabled" true "verify" true "caSecret" (include "wordpress-ha.tls.secret" (list . "database")) "caConfigMap" "" "caKey" "ca.crt" "serverName" $name | toJson }}
{{- else }}
{{- dict "enabled" false "serverName" "" | toJson }}
{{- end }}
{{- end }}

{{/* How WordPress calls the router: it is not the router that shows a certificate, but the servers behind it. */}}
{{- define "wordpress-ha.wordpress.routerName" -}}
{{- (include "wordpress-ha.wordpress.databaseTls" . | fromJson).serverName | default "127.0.0.1" }}
{{- end }}

{{/* Such a name means this pod. */}}
{{- define "wordpress-ha.wordpress.hostAliases" -}}
{{- $name := include "wordpress-ha.wordpress.routerName" . }}
{{- if ne $name "127.0.0.1" }}
hostAliases:
  - {ip: 127.0.0.1, hostnames: [{{ $name }}]}
{{- end }}
{{- end }}

{{/* Names of mysqli's constants, for WordPress's MYSQL_CLIENT_FLAGS. */}}
{{- define "wordpress-ha.wordpress.databaseFlags" -}}
{{- $tls := include "wordpress-ha.wordpress.databaseTls" . | fromJson -}}
{{- if $tls.enabled -}}
{{- list "MYSQLI_CLIENT_SSL" (ternary "MYSQLI_CLIENT_SSL_VERIFY_SERVER_CERT" "MYSQLI_CLIENT_SSL_DONT_VERIFY_SERVER_CERT" $tls.verify) | toJson -}}
{{- else -}}
[]
{{- end -}}
{{- end }}

{{/* Where the certificate of the database's authority is in containers that run PHP; empty: there is none of its own. */}}
{{- define "wordpress-ha.wordpress.databaseAuthority" -}}
{{- $tls := include "wordpress-ha.wordpress.databaseTls" . | fromJson -}}
{{- if and $tls.enabled $tls.verify (or $tls.caSecret $tls.caConfigMap) -}}
/run/secrets/wordpress/database-ca.crt
{{- end }}
{{- end }}

{{/* What wp-config.php and the scripts read: typed, so that no value is ever run as PHP. */}}
{{- define "wordpress-ha.wordpress.settings" -}}
{{- $internal := printf "http://%s.%s.svc.%s" (include "wordpress-ha.fullname" .) .Release.Namespace (include "wordpress-ha.clusterDomain" .) -}}
{{- $site := .Values.wordpress.site -}}
{{- $smtp := .Values.wordpress.smtp -}}
{{- dict
      "database" (dict
        "host" (include "wordpress-ha.wordpress.databaseHost" .) "name" .Values.database.name "user" .Values.database.user
        "flags" (include "wordpress-ha.wordpress.databaseFlags" . | fromJsonArray))
      "tablePrefix" .Values.wordpress.tablePrefix
      "url" $site.url
      "site" (dict "title" $site.title "language" $site.language "adminUser" $site.adminUser "adminEmail" $site.adminEmail "permalinks" $site.permalinks "internalUrl" $internal)
      "allowPluginChanges" .Values.wordpress.allowPluginChanges
      "userEnumeration" .Values.wordpress.userEnumeration
      "codeRequests" .Values.wordpress.content.codeRequests
      "pods" (ternary (list (include "wordpress-ha.wordpress.pods" .)) list .Values.wordpress.cache.enabled)
      "proxyProtocol" .Values.wordpress.proxyProtocol
      "loginLockout" .Values.wordpress.loginLockout
      "s3" (ternary .Values.wordpress.media.s3 nil (ne .Values.wordpress.media.s3.bucket ""))
      "constants" (.Values.wordpress.constants | default dict)
      "smtp" (dict "host" $smtp.host "port" $smtp.port "tls" $smtp.tls "from" $smtp.from "login" (ne $smtp.existingSecret ""))
    | toPrettyJson -}}
{{- end }}

{{/* Where each web pod takes in lists of changed pages. The dot spares the search of five domains, for which pods are configured. */}}
{{- define "wordpress-ha.wordpress.pods" -}}
{{- printf "%s-web.%s.svc.%s.:%s" (include "wordpress-ha.fullname" .) .Release.Namespace (include "wordpress-ha.clusterDomain" .) (include "wordpress-ha.port" (list "wordpress" "status")) -}}
{{- end }}

{{/* The host of the site's address, for Ingress and HTTPRoute. */}}
{{- define "wordpress-ha.wordpress.urlHost" -}}
{{- regexReplaceAll ":.*$" (regexReplaceAll "^https?://" .Values.wordpress.site.url "") "" -}}
{{- end }}

{{/* MiB of the memory limit that all workers share: the rest is opcache's (128), the master process's, and the pod's small change. */}}
{{- define "wordpress-ha.wordpress.workerMemory" -}}
{{- sub (include "wordpress-ha.mebibytes" .Values.wordpress.resources.limits.memory | int) 192 -}}
{{- end }}

{{/*
php-fpm's workers: 64 MiB of it for each.
Without a memory limit there is nothing to divide: ten.
*/}}
{{- define "wordpress-ha.wordpress.maxChildren" -}}
{{- $php := .Values.wordpress.php -}}
{{- $limit := ((.Values.wordpress.resources).limits).memory -}}
{{- if $php.maxChildren -}}
{{- $php.maxChildren | int -}}
{{- else if $limit -}}
{{- max 2 (div (include "wordpress-ha.wordpress.workerMemory" . | int) 64) -}}
{{- else -}}
10
{{- end -}}
{{- end }}

{{/* How many pods the values ask for; empty where that is left to the autoscaler, or to what runs. */}}
{{- define "wordpress-ha.wordpress.replicas" -}}
{{- with .Values.wordpress }}{{ if not (or .autoscaling.enabled (kindIs "invalid" .replicas)) }}{{ int .replicas }}{{ end }}{{ end -}}
{{- end }}

{{/* Pods at most. */}}
{{- define "wordpress-ha.wordpress.maxPods" -}}
{{- include "wordpress-ha.wordpress.replicas" . | default .Values.wordpress.autoscaling.maxReplicas | int | max 1 -}}
{{- end }}

{{/*
A pod's share of the attempts to log in, as a visitor's attempts reach all pods. At least three: a person mistypes, and a connection that
stays open leads to one pod.
*/}}
{{- define "wordpress-ha.wordpress.loginsPerPod" -}}
{{- $all := .Values.wordpress.loginsPerMinute | int -}}
{{- min $all (max 3 (div $all (include "wordpress-ha.wordpress.maxPods" . | int))) -}}
{{- end }}

{{/* A pool's share of the workers, one at least: a third for queries. Usage: include "wordpress-ha.wordpress.poolSize" (list . "www") */}}
{{- define "wordpress-ha.wordpress.poolSize" -}}
{{- $all := include "wordpress-ha.wordpress.maxChildren" (index . 0) | int -}}
{{- $queries := max 1 (div $all 3) -}}
{{- ternary $queries (max 1 (sub $all $queries)) (eq (index . 1) "queries") -}}
{{- end }}

{{- define "wordpress-ha.wordpress.poolReason" -}}
{{- if .Values.wordpress.php.maxChildren -}}
As wordpress.php.maxChildren says.
{{- else if ((.Values.wordpress.resources).limits).memory -}}
Memory limit {{ .Values.wordpress.resources.limits.memory }}: 192 MiB for opcache and the master process, the rest for workers of 64 MiB.
{{- else -}}
There is no memory limit to divide.
{{- end -}}
{{- end }}

{{/* The largest request body: an upload and the form around it. */}}
{{- define "wordpress-ha.wordpress.bodySize" -}}
{{- $size := .Values.wordpress.php.uploadSize -}}
{{- $number := regexFind "^[0-9]+" $size | int -}}
{{- add (ternary (mul $number 1024) $number (hasSuffix "G" $size)) 8 }}M
{{- end }}

{{- define "wordpress-ha.wordpress.cacheSize" -}}
{{- include "wordpress-ha.mebibytes" .Values.wordpress.cache.size }}m
{{- end }}

{{/*
The names of a list in files/, and of more, as alternatives of a regular expression; * stands for any rest.
Usage: include "wordpress-ha.wordpress.alternatives" (list . "trackers.txt" .Values.wordpress.cache.trackers)
*/}}
{{- define "wordpress-ha.wordpress.alternatives" -}}
{{- $names := list -}}
{{- range ((index . 0).Files.Lines (printf "files/wordpress/%s" (index . 1))) -}}
{{- $names = append $names (regexReplaceAll "\\s*#.*$" . "" | trim) -}}
{{- end -}}
{{- concat $names (index . 2) | compact | join "|" | replace "." "[.]" | replace "*" "[\\w.-]*" -}}
{{- end }}

{{/* nginx's variables with the cookies that a page is made of, for its key and for PHP. */}}
{{- define "wordpress-ha.wordpress.pageCookies" -}}
{{- range $i, $_ := .Values.wordpress.cache.cookies }}$page_cookie_{{ $i }}{{ end }}
{{- end }}

{{/* The headers of every answer. */}}
{{- define "wordpress-ha.wordpress.headers" -}}
{{- $own := dict
      "X-Content-Type-Options" "nosniff"
      "X-Frame-Options" "SAMEORIGIN"
      "Referrer-Policy" "strict-origin-when-cross-origin"
      "Permissions-Policy" "camera=(), microphone=(), geolocation=(self)" -}}
{{- range $name, $value := .Values.wordpress.headers }}{{ $_ := set $own $name $value }}{{ end -}}
{{- toYaml $own -}}
{{- end }}

{{/* The claim with the content, and where a claim that the chart makes comes from: claim, server, class, portworx, nfs (the in-chart server). */}}
{{- define "wordpress-ha.wordpress.contentSource" -}}
{{- $content := .Values.wordpress.content -}}
{{- if $content.existingClaim }}claim
{{- else if $content.nfs.server }}server
{{- else if or $content.storageClass (eq $content.accessMode "ReadWriteOnce") }}class
{{- else if .Values.portworx.enabled }}portworx
{{- else if .Values.nfs.enabled }}nfs
{{- end }}
{{- end }}

{{- define "wordpress-ha.wordpress.contentClaim" -}}
{{- .Values.wordpress.content.existingClaim | default (printf "%s-content" (include "wordpress-ha.fullname" .)) }}
{{- end }}

{{/*
The database router: a native sidecar, so it starts before everything that needs the database and ends after it.
*/}}
{{- define "wordpress-ha.wordpress.router" -}}
{{- if include "wordpress-ha.hasRouter" . }}
- name: router
  image: {{ include "wordpress-ha.image" (list . .Values.router.image) }}
  imagePullPolicy: {{ .Values.router.image.pullPolicy }}
  restartPolicy: Always
  command: [haproxy, -W, -db, -f, /etc/haproxy/haproxy.cfg]
  ports:
    {{- include "wordpress-ha.containerPorts" (list "wordpress" "router-health") | nindent 4 }}
  startupProbe:
    httpGet: {path: /healthz, port: router-health}
    periodSeconds: 1
    failureThreshold: 60
  livenessProbe:
    httpGet: {path: /healthz, port: router-health}
    periodSeconds: 10
    timeoutSeconds: 5
    failureThreshold: 6
  securityContext:
    runAsUser: 99
    runAsGroup: 99
    {{- include "wordpress-ha.containerSecurityContext" . | nindent 4 }}
  resources:
    {{- toYaml .Values.router.resources | nindent 4 }}
  volumeMounts:
    - {name: router, mountPath: /etc/haproxy, readOnly: true}
{{- if not (include "wordpress-ha.hasDatabase" .) }}
# Hosts outside have no check agent: this asks them for the router, with the site's own account.
- name: database-health
  {{- include "wordpress-ha.wordpress.php" . | nindent 2 }}
  restartPolicy: Always
  command: [bash, /etc/wordpress/database-health.sh]
  env:
    {{- include "wordpress-ha.wordpress.phpEnv" . | nindent 4 }}
    - {name: WORKERS, value: {{ add1 (len .Values.database.external.hosts) | quote }}}
  resources:
    requests: {cpu: 20m, memory: 32Mi}
    limits: {memory: 192Mi}
  volumeMounts:
    {{- include "wordpress-ha.wordpress.configurationMounts" . | trim | nindent 4 }}
    - {name: secrets, mountPath: /run/secrets/wordpress, readOnly: true}
    - {name: tmp, mountPath: /tmp}
{{- end }}
{{- end }}
{{- end }}

{{/* What every container that runs PHP has. */}}
{{- define "wordpress-ha.wordpress.php" -}}
image: {{ include "wordpress-ha.image" (list . .Values.wordpress.image) }}
imagePullPolicy: {{ .Values.wordpress.image.pullPolicy }}
securityContext:
  {{- include "wordpress-ha.containerSecurityContext" . | nindent 2 }}
{{- end }}

{{- define "wordpress-ha.wordpress.phpEnv" -}}
# The image's own settings first, then those of the chart.
- {name: PHP_INI_SCAN_DIR, value: ":/etc/wordpress"}
# A page costs about a twentieth less processor time with PHP's memory in huge pages, where the node offers them (madvise).
- {name: USE_ZEND_ALLOC_HUGE_PAGES, value: "1"}
{{- if ((.Values.wordpress.resources).limits).memory }}
# A large picture has more pixels than a worker has memory: ImageMagick keeps what is beyond its share on disk.
{{- $share := div (include "wordpress-ha.wordpress.workerMemory" . | int) (include "wordpress-ha.wordpress.maxChildren" . | int) | max 16 }}
- {name: MAGICK_MEMORY_LIMIT, value: {{ $share }}MiB}
- {name: MAGICK_MAP_LIMIT, value: {{ $share }}MiB}
- {name: MAGICK_THREAD_LIMIT, value: "1"}
{{- end }}
{{- with .Values.wordpress.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* For sync-code.sh. */}}
{{- define "wordpress-ha.wordpress.codeEnv" -}}
- {name: LONGEST_REQUEST, value: {{ .Values.wordpress.php.timeoutSeconds | quote }}}
- {name: SHARED_DIRECTORIES, value: {{ join " " .Values.wordpress.content.sharedDirectories | quote }}}
{{- end }}

{{/*
The configuration, file by file: so mounted, it stays what it was when the container started. A directory would become the new one in
pods of the old version while an upgrade goes on, and PHP, which remembers the path of the one before, would not find it.
*/}}
{{- define "wordpress-ha.wordpress.configurationMounts" -}}
{{- $files := list "settings.json" "php.ini" "plugins.json" "plugins.php" }}
{{- range include "wordpress-ha.wordpress.configurationFiles" . | fromJsonArray }}{{ $files = append $files (base .) }}{{ end }}
{{- range $file := sortAlpha $files }}
- {name: configuration, mountPath: {{ eq $file "wp-config.php" | ternary "/usr/src" "/etc/wordpress" }}/{{ $file }}, subPath: {{ $file }}, readOnly: true}
{{- end }}
{{- end }}

{{- define "wordpress-ha.wordpress.phpMounts" -}}
{{ include "wordpress-ha.wordpress.configurationMounts" . | trim }}
- {name: secrets, mountPath: /run/secrets/wordpress, readOnly: true}
- {name: content, mountPath: /usr/src/wordpress/wp-content}
- {name: tmp, mountPath: /tmp}
{{- if .Values.wordpress.muPlugins }}
- {name: mu-plugins, mountPath: /etc/wordpress-mu-plugins, readOnly: true}
{{- end }}
{{- with .Values.wordpress.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "wordpress-ha.wordpress.phpVolumes" -}}
- name: configuration
  configMap:
    name: {{ include "wordpress-ha.fullname" . }}-wordpress
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      - secret:
          name: {{ include "wordpress-ha.databaseSecret" . }}
          items:
            - {key: {{ include "wordpress-ha.databasePasswordKey" . }}, path: database-password}
      {{- include "wordpress-ha.databaseAuthority" (list . false) | nindent 6 }}
      {{- with .Values.wordpress.media.s3 }}
      {{- if and .bucket .existingSecret }}
      - secret:
          name: {{ .existingSecret }}
          items:
            - {key: access-key-id, path: s3-access-key-id}
            - {key: secret-access-key, path: s3-secret-access-key}
      {{- end }}
      {{- end }}
      - secret:
          name: {{ include "wordpress-ha.wordpressSecret" . }}
          items:
            {{- range list "auth-key" "secure-auth-key" "logged-in-key" "nonce-key" "auth-salt" "secure-auth-salt" "logged-in-salt" "nonce-salt" }}
            - {key: {{ . }}, path: {{ . }}}
            {{- end }}
      {{- with .Values.wordpress.smtp.existingSecret }}
      - secret:
          name: {{ . }}
          items:
            - {key: username, path: smtp-username}
            - {key: password, path: smtp-password}
      {{- end }}
- name: content
  persistentVolumeClaim:
    claimName: {{ include "wordpress-ha.wordpress.contentClaim" . }}
- name: tmp
  emptyDir: {}
{{- if include "wordpress-ha.hasRouter" . }}
- name: router
  configMap:
    name: {{ include "wordpress-ha.fullname" . }}-router
{{- end }}
{{- with .Values.wordpress.muPlugins }}
- name: mu-plugins
  projected:
    sources:
      {{- range . }}
      - configMap:
          name: {{ . }}
      {{- end }}
{{- end }}
{{- with .Values.wordpress.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* One sentence, on a line of its own, for each combination of this tier's values that cannot work. */}}
{{- define "wordpress-ha.wordpress.problems" -}}
{{- $wordpress := .Values.wordpress }}
{{- $content := $wordpress.content }}
{{- if not (include "wordpress-ha.wordpress.contentSource" .) }}
wordpress.content: there is nothing to keep the content on; set nfs.enabled=true, or wordpress.content.storageClass to a ReadWriteMany class, or wordpress.content.existingClaim, or wordpress.content.nfs.server, or, for one replica, wordpress.content.accessMode=ReadWriteOnce.
{{- end }}
{{- if and (hasKey ($wordpress.php.ini | default dict) "openssl.cafile") (include "wordpress-ha.wordpress.databaseAuthority" .) }}
wordpress.php.ini: openssl.cafile is the authority of the database's server; mount yours as /etc/ssl/certs/<hash>.0 in wordpress.extraVolumeMounts, where <hash> is what "openssl x509 -noout -hash" prints for it.
{{- end }}
{{- if gt (len (compact (list $content.existingClaim $content.nfs.server $content.storageClass))) 1 }}
wordpress.content: existingClaim, nfs.server and storageClass exclude one another; set one of them.
{{- end }}
{{- if and $content.nfs.server (not $content.nfs.path) }}
wordpress.content.nfs.path: an NFS server needs the exported path, for example /srv/wordpress.
{{- end }}
{{- if and (eq $content.accessMode "ReadWriteOnce") (gt (include "wordpress-ha.wordpress.replicas" . | default 2 | int) 1) }}
wordpress.content.accessMode: a ReadWriteOnce volume serves one pod; set wordpress.replicas=1 and wordpress.autoscaling.enabled=false, or use ReadWriteMany.
{{- end }}
{{- if gt (int $wordpress.autoscaling.minReplicas) (int $wordpress.autoscaling.maxReplicas) }}
wordpress.autoscaling: minReplicas ({{ int $wordpress.autoscaling.minReplicas }}) is larger than maxReplicas ({{ int $wordpress.autoscaling.maxReplicas }}); write a smaller minReplicas.
{{- end }}
{{- if and $wordpress.autoscaling.enabled (not (dig "requests" "cpu" "" ($wordpress.resources | default dict))) }}
wordpress.resources.requests.cpu: autoscaling measures use against the request; set one, for example 250m.
{{- end }}
{{- if and $wordpress.ingress.enabled (not $wordpress.ingress.hosts) (not $wordpress.site.url) }}
wordpress.ingress.hosts: the Ingress needs a host; set it, or wordpress.site.url, for example https://www.example.com.
{{- end }}
{{- if and $wordpress.httpRoute.enabled (not $wordpress.httpRoute.parentRefs) }}
wordpress.httpRoute.parentRefs: name the Gateway that the route belongs to, for example [{name: public, namespace: gateways}].
{{- end }}
{{- if regexMatch "://[^/]+/" $wordpress.site.url }}
wordpress.site.url: the chart serves a site at the root of a name, not below a path; write {{ regexFind "^https?://[^/]+" $wordpress.site.url }}, or another name, for example https://blog.example.com.
{{- end }}
{{- if and (or $wordpress.ingress.enabled $wordpress.httpRoute.enabled) (not $wordpress.trustedProxies) }}
wordpress.trustedProxies: say which addresses your ingress controller or gateway has, for example [10.244.0.0/16]; without them every visitor has the proxy's address, and https is not recognised.
{{- end }}
{{- if and $wordpress.proxyProtocol (not $wordpress.trustedProxies) }}
wordpress.proxyProtocol: the address in a PROXY header is believed from trusted proxies only; write the balancers' addresses into wordpress.trustedProxies, for example [10.0.0.0/8].
{{- end }}
{{- if and $wordpress.proxyProtocol (or $wordpress.ingress.enabled $wordpress.httpRoute.enabled) }}
wordpress.proxyProtocol: an Ingress controller or Gateway sends pods no PROXY header, so nginx would close each of its connections; set proxyProtocol=false, and turn the protocol on at the controller.
{{- end }}
{{- $s3 := $wordpress.media.s3 }}
{{- if and $s3.bucket (not $s3.region) }}
wordpress.media.s3.region: requests are signed for a region; write the bucket's, for example eu-central-1, or what your server calls its own, often us-east-1.
{{- end }}
{{- if and (not $s3.bucket) (or $s3.region $s3.endpoint $s3.prefix $s3.url $s3.existingSecret) }}
wordpress.media.s3.bucket: the rest of media.s3 is of no use without a bucket; name it.
{{- end }}
{{- $slugs := list }}
{{- range $wordpress.plugins }}
{{- if has .slug $slugs }}
wordpress.plugins: {{ .slug }} is there twice; leave one of the entries out.
{{- end }}
{{- $slugs = append $slugs .slug }}
{{- end }}
{{- range $name := list "MULTISITE" "WP_ALLOW_MULTISITE" "SUBDOMAIN_INSTALL" }}
{{- if hasKey ($wordpress.constants | default dict) $name }}
wordpress.constants.{{ $name }}: the chart runs one site in each release, not a network of sites; take the constant away, and install a release for each site.
{{- end }}
{{- end }}
{{- end }}

{{/* The contents of the ConfigMaps, by themselves: pods carry their checksums. */}}
{{- define "wordpress-ha.wordpress.configuration" -}}
settings.json: |
  {{- include "wordpress-ha.wordpress.settings" . | nindent 2 }}
php.ini: |
  {{- tpl (.Files.Get "files/wordpress/php.ini") . | nindent 2 }}
{{- include "wordpress-ha.files" (prepend (include "wordpress-ha.wordpress.configurationFiles" . | fromJsonArray) .) }}
{{- end }}

{{/* Files that go into the configuration as they are, as a JSON list. */}}
{{- define "wordpress-ha.wordpress.configurationFiles" -}}
{{- $files := list -}}
{{- range list "wp-config.php" "mounted.php" "page-cache.php" "code.php" "closed-directories.php" "database.php" "wait.php" "ready.php" "install.php" "renew-lock.php" "cron.php" "cron-worker.php" "cron-claims.php" "new-salts.php" "media-s3.php" "smtp.php" "hidden-accounts.php" "login-lockout.php" -}}
{{- $files = append $files (printf "files/wordpress/%s" .) -}}
{{- end -}}
{{- if .Values.wordpress.cache.enabled -}}
{{- $files = concat $files (list "files/wordpress/page-changes.php" "files/wordpress/signature.php" "files/wordpress/refresh.php") -}}
{{- end -}}
{{- if and (include "wordpress-ha.hasRouter" .) (not (include "wordpress-ha.hasDatabase" .)) -}}
{{- $files = concat $files (list "files/database/external/database-health.php" "files/database/external/database-health.sh") -}}
{{- end -}}
{{- toJson $files -}}
{{- end }}

{{/* For the install Job alone: another list restarts no web pod. */}}
{{- define "wordpress-ha.wordpress.plugins" -}}
plugins.json: |
  {{- .Values.wordpress.plugins | toPrettyJson | nindent 2 }}
plugins.php: |
  {{- .Files.Get "files/wordpress/plugins.php" | nindent 2 }}
{{- end }}

{{- define "wordpress-ha.wordpress.web" -}}
release.json: |
  {{- $members := ternary (include "wordpress-ha.podNames" (list . "mysql" (include "wordpress-ha.databaseReplicas" .)) | splitList "\n") list (eq (include "wordpress-ha.hasDatabase" .) "true") }}
  {{- dict "name" (printf "%s/%s" .Release.Namespace (include "wordpress-ha.fullname" .)) "members" $members | toPrettyJson | nindent 2 }}
{{- range list "nginx.conf" "pages.conf" "media.conf" "php-fpm.conf" "headers.conf" "hidden.conf" }}
{{ . }}: |
  {{- tpl ($.Files.Get (printf "files/wordpress/%s" .)) $ | nindent 2 }}
{{- end }}
{{- range list "types.conf" "media-server.conf" "fastcgi.conf" "visitor.conf" "php.conf" "prepare.sh" "seed-content.sh" "sync-code.sh" "copy-static.sh" "drain-nginx.sh" "start-php.sh" "drain-php.sh" "php-queue.php" "status.php" }}
{{ . }}: |
  {{- $.Files.Get (printf "files/wordpress/%s" .) | nindent 2 }}
{{- end }}
{{- if .Values.metrics.enabled }}
metrics.php: |
  {{- .Files.Get "files/metrics/web.php" | nindent 2 }}
metrics-probe.php: |
  {{- .Files.Get "files/metrics/probe.php" | nindent 2 }}
{{- end }}
{{- end }}

{{- define "wordpress-ha.wordpress.routerConfiguration" -}}
haproxy.cfg: |
  {{- tpl (.Files.Get "files/wordpress/haproxy.cfg") . | nindent 2 }}
await-server.lua: |
  {{- .Files.Get "files/wordpress/await-server.lua" | nindent 2 }}
{{- end }}

{{- define "wordpress-ha.wordpress.installSpec" -}}
# The script waits for a quarter of an hour each time, so this is a day: a database that is away for long still gets its site.
backoffLimit: 100
template:
  metadata:
    labels:
      {{- include "wordpress-ha.selectorLabels" (list . "wordpress-install") | nindent 6 }}
    annotations:
      checksum/configuration: {{ include "wordpress-ha.wordpress.configuration" . | sha256sum }}
      checksum/plugins: {{ include "wordpress-ha.wordpress.plugins" . | sha256sum }}
  spec:
    restartPolicy: OnFailure
    {{- include "wordpress-ha.wordpress.hostAliases" . | nindent 4 }}
    securityContext:
      {{- include "wordpress-ha.podSecurityContext" 33 | nindent 6 }}
    initContainers:
      {{- include "wordpress-ha.wordpress.router" . | nindent 6 }}
    containers:
      - name: install
        {{- include "wordpress-ha.wordpress.php" . | nindent 8 }}
        command: [php, /etc/wordpress/install.php]
        env:
          {{- include "wordpress-ha.wordpress.phpEnv" . | nindent 10 }}
        resources:
          {{- toYaml .Values.wordpress.install.resources | nindent 10 }}
        volumeMounts:
          {{- include "wordpress-ha.wordpress.phpMounts" . | nindent 10 }}
          - {name: admin, mountPath: /run/secrets/admin, readOnly: true}
    volumes:
      {{- include "wordpress-ha.wordpress.phpVolumes" . | nindent 6 }}
      - name: admin
        secret:
          secretName: {{ include "wordpress-ha.wordpressSecret" . }}
          defaultMode: 0440
          items:
            - {key: admin-password, path: admin-password}
{{- end }}
