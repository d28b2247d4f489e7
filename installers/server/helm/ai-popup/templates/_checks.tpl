{{- /* What values.schema.json can't say: values that don't fit each other. Each message says what to do. */ -}}
{{- define "ai-popup.checks" -}}
{{- $values := .Values -}}
{{- $several := or $values.api.autoscaling.enabled (gt (int $values.api.replicas) 1) -}}
{{- $found := list -}}

{{- if not $values.image.repository -}}
{{- $found = append $found "image.repository is empty. Build the image (installers/server/Dockerfile), push it to your registry and name it here: there is no public one." -}}
{{- end -}}
{{- if not $values.hosts -}}
{{- $found = append $found "hosts is empty. Name at least one address by which people reach the server, such as photos.example.org: browsers are refused under any other." -}}
{{- end -}}
{{- if hasKey (get $values.settings "server" | default dict) "database" -}}
{{- $found = append $found "settings.server.database would put a password into a ConfigMap. Remove it; set database.mode=external and database.external.existingSecret." -}}
{{- end -}}

{{- if eq $values.database.mode "external" -}}
{{- if not $values.database.external.existingSecret -}}
{{- $found = append $found "database.external.existingSecret is empty. Make a Secret whose key `uri` is postgresql://user:password@host/database, and name it; or set database.mode=cloudnative." -}}
{{- end -}}
{{- if and $values.networkPolicy.enabled (not $values.database.external.cidrs) -}}
{{- $found = append $found "database.external.cidrs is empty, so the network policies would keep the server from its database. Add its address, such as 10.0.5.10/32; or set networkPolicy.enabled=false." -}}
{{- end -}}
{{- else -}}
{{- if not $values.database.cloudnative.imageName -}}
{{- $found = append $found "database.cloudnative.imageName is empty. Name an image of PostgreSQL for CloudNativePG with pgvector 0.8.4 or newer: the operator's default may have none." -}}
{{- end -}}
{{- with $values.database.cloudnative.backup -}}
{{- if and .enabled (not .destinationPath) -}}
{{- $found = append $found "database.cloudnative.backup.destinationPath is empty. Name a bucket and path, such as s3://backups/ai-popup; or set backup.enabled=false." -}}
{{- end -}}
{{- if and .enabled (not .existingSecret) -}}
{{- $found = append $found "database.cloudnative.backup.existingSecret is empty. Make a Secret with ACCESS_KEY_ID and ACCESS_SECRET_KEY of the bucket, and name it." -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- if and $several (ne $values.persistence.home.accessMode "ReadWriteMany") -}}
{{- $found = append $found "Several API pods share the home, which only one node can mount now. Set persistence.home.accessMode=ReadWriteMany (with a storage class that has it, such as NFS or CephFS); or api.replicas=1 and api.autoscaling.enabled=false." -}}
{{- end -}}
{{- with $values.api.autoscaling -}}
{{- if and .enabled (gt (int .minReplicas) (int .maxReplicas)) -}}
{{- $found = append $found (printf "api.autoscaling.minReplicas (%d) is above maxReplicas (%d). Raise maxReplicas or lower minReplicas." (int .minReplicas) (int .maxReplicas)) -}}
{{- end -}}
{{- end -}}

{{- if $values.workers.enabled -}}
{{- if not $values.persistence.uploads.enabled -}}
{{- $found = append $found "Workers in pods of their own could not read uploaded photos. Set persistence.uploads.enabled=true (ReadWriteMany); or workers.enabled=false and raise api.workers." -}}
{{- else if ne $values.persistence.uploads.accessMode "ReadWriteMany" -}}
{{- $found = append $found "Workers in pods of their own could not read uploaded photos. Set persistence.uploads.accessMode=ReadWriteMany; or workers.enabled=false and raise api.workers." -}}
{{- end -}}
{{- if and (not $values.workers.keySecret) (ne $values.persistence.home.accessMode "ReadWriteMany") -}}
{{- $found = append $found "Workers take worker.key from the home, which only one node can mount now. Set workers.keySecret to a Secret with that file (it is in config/keys of the home), or persistence.home.accessMode=ReadWriteMany." -}}
{{- end -}}
{{- with $values.workers.autoscaling -}}
{{- if and .enabled (not .prometheus) -}}
{{- $found = append $found "workers.autoscaling.prometheus is empty. Name the address of Prometheus, such as http://prometheus-operated.monitoring:9090; or set workers.autoscaling.enabled=false and workers.replicas." -}}
{{- end -}}
{{- if and .enabled (not $values.monitoring.enabled) -}}
{{- $found = append $found "Workers are scaled by a figure that Prometheus has only with monitoring. Set monitoring.enabled=true; or workers.autoscaling.enabled=false and workers.replicas." -}}
{{- end -}}
{{- if and .enabled (gt (int .minReplicas) (int .maxReplicas)) -}}
{{- $found = append $found (printf "workers.autoscaling.minReplicas (%d) is above maxReplicas (%d). Raise maxReplicas or lower minReplicas." (int .minReplicas) (int .maxReplicas)) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- if and (or $values.ingress.enabled $values.gateway.enabled) (not $values.proxies) -}}
{{- $found = append $found "proxies is empty: all visitors would count as one address, with 256 connections together. Name the network that your ingress or gateway sends from, such as 10.244.0.0/16." -}}
{{- end -}}
{{- if and $values.gateway.enabled (not $values.gateway.parentRefs) -}}
{{- $found = append $found "gateway.parentRefs is empty. Name your Gateway, such as [{name: public, namespace: gateways}]." -}}
{{- end -}}
{{- if and $values.gateway.enabled (not (and $values.gateway.caConfigMap $values.tls.existingSecret)) -}}
{{- $found = append $found "A gateway must check the server's certificate. Set tls.existingSecret, and gateway.caConfigMap to a ConfigMap with the ca.crt of its authority." -}}
{{- end -}}
{{- if and $values.monitoring.enabled (not $values.monitoring.tokenSecret) -}}
{{- $found = append $found "monitoring.tokenSecret is empty. Make a Secret with a long random `token`, and name it: /metrics answers only requests that show it." -}}
{{- end -}}
{{- if $values.networkPolicy.enabled -}}
{{- if not $values.networkPolicy.ingressFrom -}}
{{- $found = append $found "networkPolicy.ingressFrom is empty, so nothing could reach the server. Name your ingress controller's namespace, such as [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ingress}}}], or [{ipBlock: {cidr: 0.0.0.0/0}}] for everyone." -}}
{{- end -}}
{{- if and $values.monitoring.enabled (not $values.networkPolicy.metricsFrom) -}}
{{- $found = append $found "networkPolicy.metricsFrom is empty, so Prometheus could not read /metrics. Name its namespace, such as [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}]." -}}
{{- end -}}
{{- end -}}

{{- if $found -}}
{{- fail (printf "\n\nThese values don't work:\n- %s\n" (join "\n- " $found)) -}}
{{- end -}}
{{- end -}}
