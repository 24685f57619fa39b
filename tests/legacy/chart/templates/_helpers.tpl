{{- define "legacy.labels" -}}
linkerd.io/extension: smi
component: smi-adaptor
{{- end -}}

{{- define "legacy.job-labels" -}}
app.kubernetes.io/name: namespace-metadata
app.kubernetes.io/part-of: linkerd-smi
app.kubernetes.io/version: {{ .Values.adaptor.image.tag }}
{{- end -}}

{{- define "legacy.hook" -}}
helm.sh/hook: post-install
helm.sh/hook-weight: {{ . | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}
