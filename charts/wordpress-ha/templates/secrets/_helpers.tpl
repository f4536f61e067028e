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

{{/* The Job's spec, by itself: the Job's name has a hash of it. */}}
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
    serviceAccountName: {{ $name }}
    automountServiceAccountToken: true
    enableServiceLinks: false
    {{- include "wordpress-ha.imagePullSecrets" . | nindent 4 }}
    {{- include "wordpress-ha.scheduling" (list . "secrets" (omit .Values.wordpress "spread" "topologySpreadConstraints")) | nindent 4 }}
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
          requests: {cpu: 10m, memory: 16Mi}
          limits: {memory: 64Mi}
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
