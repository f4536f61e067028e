{{/*
The Secrets that the chart makes itself: one line each, the name and its keys. A Secret given by existingSecret is not here.
*/}}
{{- define "wordpress-ha.madeSecrets" -}}
{{- if and (include "wordpress-ha.hasDatabase" .) (not .Values.database.existingSecret) }}
{{ include "wordpress-ha.databaseSecret" . }} root-password password monitor-password{{ if eq .Values.database.topology "replication" }} replication-password{{ end }}
{{- end }}
{{- if not .Values.wordpress.existingSecret }}
{{ include "wordpress-ha.wordpressSecret" . }} admin-password auth-key secure-auth-key logged-in-key nonce-key auth-salt secure-auth-salt logged-in-salt nonce-salt
{{- end }}
{{- end }}

{{/* Those and the certificates', as JSON: their names, and "name:key,key". */}}
{{- define "wordpress-ha.secrets.declared" -}}
{{- $certificates := include "wordpress-ha.tls.byJob" . | trim }}
{{- $names := list }}
{{- $declared := list }}
{{- range compact (splitList "\n" (include "wordpress-ha.madeSecrets" . | trim)) }}
{{- $words := splitList " " (trim .) }}
{{- $names = append $names (first $words) }}
{{- $declared = append $declared (printf "%s:%s" (first $words) (join "," (rest $words))) }}
{{- end }}
{{- if $certificates }}{{ $names = append $names (include "wordpress-ha.tls.authority" .) }}{{ end }}
{{- range compact (splitList "\n" $certificates) }}
{{- $secret := splitList " " . | first }}
{{- $names = append $names $secret }}
{{- $declared = append $declared (printf "%s:ca.crt,tls.crt,tls.key" $secret) }}
{{- end }}
{{- dict "names" $names "keys" $declared | toJson }}
{{- end }}

{{- define "wordpress-ha.secretsSpec" -}}
{{- $name := printf "%s-secrets" (include "wordpress-ha.fullname" .) }}
{{- $secrets := include "wordpress-ha.madeSecrets" . | trim }}
{{- $certificates := include "wordpress-ha.tls.byJob" . | trim }}
# An attempt gives an API server that does not answer two minutes.
backoffLimit: 100
template:
  metadata:
    labels:
      {{- include "wordpress-ha.selectorLabels" (list . "secrets") | nindent 6 }}
  spec:
    restartPolicy: OnFailure
    serviceAccountName: {{ include "wordpress-ha.account" (list . "secrets" "-secrets") }}
    automountServiceAccountToken: true
    securityContext:
      {{- include "wordpress-ha.podSecurityContext" 65532 | nindent 6 }}
    containers:
      {{- if $certificates }}
      {{- include "wordpress-ha.tls.container" . | nindent 6 }}
      {{- end }}
      {{- if $secrets }}
      - name: create
        image: {{ include "wordpress-ha.image" (list . .Values.tools.image) }}
        imagePullPolicy: {{ .Values.tools.image.pullPolicy }}
        command: [bash, /scripts/create.sh]
        env:
          - {name: NAMESPACE, value: {{ .Release.Namespace }}}
          - name: SECRETS
            value: |
              {{- $secrets | nindent 14 }}
          - name: LABELS
            value: {{ include "wordpress-ha.selectorLabels" (list . "secrets") | fromYaml | toJson | quote }}
        securityContext:
          {{- include "wordpress-ha.containerSecurityContext" . | nindent 10 }}
        resources:
          {{- toYaml .Values.secrets.resources | nindent 10 }}
        volumeMounts:
          - {name: scripts, mountPath: /scripts, readOnly: true}
          - {name: tmp, mountPath: /tmp}
      {{- end }}
    volumes:
      - name: scripts
        configMap:
          name: {{ $name }}
          defaultMode: 0555
      - name: tmp
        emptyDir: {sizeLimit: 1Mi}
      {{- if $certificates }}
      # In memory: private keys pass through it.
      - name: keys
        emptyDir: {medium: Memory, sizeLimit: 1Mi}
      {{- end }}
{{- end }}
