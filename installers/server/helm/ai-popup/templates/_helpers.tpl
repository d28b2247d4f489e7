{{- define "ai-popup.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- /* The labels by which a pod is chosen. Called with (list $ "component"). */ -}}
{{- define "ai-popup.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ $root.Chart.Name }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "ai-popup.labels" -}}
{{- $root := index . 0 -}}
{{ include "ai-popup.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "ai-popup.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "ai-popup.databaseSecret" -}}
{{- if eq .Values.database.mode "external" -}}
{{ .Values.database.external.existingSecret }}
{{- else -}}
{{ include "ai-popup.fullname" . }}-database-app
{{- end -}}
{{- end -}}

{{- define "ai-popup.databaseKey" -}}
{{- eq .Values.database.mode "external" | ternary .Values.database.external.key "uri" -}}
{{- end -}}

{{- define "ai-popup.homeClaim" -}}
{{- .Values.persistence.home.existingClaim | default (printf "%s-home" (include "ai-popup.fullname" .)) -}}
{{- end -}}

{{- define "ai-popup.uploadsClaim" -}}
{{- .Values.persistence.uploads.existingClaim | default (printf "%s-uploads" (include "ai-popup.fullname" .)) -}}
{{- end -}}

{{- /* Whether more than one pod may have the home at once. */ -}}
{{- define "ai-popup.shared" -}}
{{- if eq .Values.persistence.home.accessMode "ReadWriteMany" -}}true{{- end -}}
{{- end -}}

{{- define "ai-popup.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "ai-popup.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
runAsNonRoot: true
capabilities: {drop: [ALL]}
{{- end -}}

{{- /* What all pods of the program have at their top. */ -}}
{{- define "ai-popup.pod" -}}
serviceAccountName: {{ include "ai-popup.fullname" . }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext: {{- include "ai-popup.podSecurity" . | nindent 2 }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
{{- range . }}
  - name: {{ . }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* Image, settings, and the database's address from a file. */ -}}
{{- define "ai-popup.container" -}}
image: {{ include "ai-popup.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext: {{- include "ai-popup.containerSecurity" . | nindent 2 }}
envFrom:
  - configMapRef: {name: {{ include "ai-popup.fullname" . }}-settings}
{{- end -}}

{{- define "ai-popup.mounts" -}}
- {name: local, mountPath: /var/lib/ai-popup}
- {name: tmp, mountPath: /tmp}
- {name: database, mountPath: /run/secrets/ai-popup/database, readOnly: true}
{{- end -}}

{{- define "ai-popup.volumes" -}}
- name: local
  emptyDir: {sizeLimit: 20Gi}
- name: tmp
  emptyDir: {sizeLimit: 4Gi}
- name: database
  secret:
    secretName: {{ include "ai-popup.databaseSecret" . }}
    defaultMode: 0440
    items: [{key: {{ include "ai-popup.databaseKey" . }}, path: address}]
{{- end -}}

{{- /* Photos: what both API and workers read. */ -}}
{{- define "ai-popup.photoMounts" -}}
{{- range .Values.persistence.photos }}
- {name: {{ printf "photos-%s" .name }}, mountPath: {{ .mountPath | quote }}, readOnly: true}
{{- end }}
{{- end -}}

{{- define "ai-popup.photoVolumes" -}}
{{- range .Values.persistence.photos }}
- name: {{ printf "photos-%s" .name }}
  persistentVolumeClaim: {claimName: {{ .existingClaim }}, readOnly: true}
{{- end }}
{{- end -}}

{{- /*
Settings and data are on the volume; caches, logs and the running instance's own files are the pod's. The program wants folders that its
own user made, so they are made here and linked, rather than mounted one by one.
*/ -}}
{{- define "ai-popup.linkHome" -}}
- name: home
{{ include "ai-popup.container" . | indent 2 }}
  command:
    - /bin/sh
    - -ec
    - |
      umask 077
      for folder in config data; do
        mkdir -p "/srv/home/$folder"
        ln -sfn "/srv/home/$folder" "/var/lib/ai-popup/$folder"
      done
  resources:
    requests: {cpu: 10m, memory: 16Mi}
    limits: {cpu: 100m, memory: 64Mi}
  volumeMounts:
    - {name: local, mountPath: /var/lib/ai-popup}
    - {name: home, mountPath: /srv/home}
{{- end -}}

{{- define "ai-popup.spread" -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "ai-popup.selector" . | nindent 8 }}
{{- end -}}

{{- define "ai-popup.metricsVolume" -}}
{{- if .Values.monitoring.enabled }}
- name: metrics
  secret:
    secretName: {{ .Values.monitoring.tokenSecret }}
    defaultMode: 0440
    items: [{key: {{ .Values.monitoring.tokenKey }}, path: token}]
{{- end }}
{{- end -}}

{{- /* Called with (list $ "component" its-values). */ -}}
{{- define "ai-popup.placement" -}}
{{- include "ai-popup.spread" . }}
{{- with (index . 2).nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with (index . 2).tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with (index . 2).affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
