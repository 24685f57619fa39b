{{/*
Every value may be absent: `helm upgrade --reuse-values` brings the values of the chart that was
there before, and none that are new. Parentheses keep a missing parent from being an error.
*/}}

{{- define "linkerd-smi.labels" -}}
linkerd.io/extension: smi
{{- end -}}

{{- define "linkerd-smi.selector" -}}
linkerd.io/extension: smi
component: smi-adaptor
{{- end -}}

{{/* What the Go extension's chart had as defaults: nobody chose it, so it counts as unset. */}}
{{- define "linkerd-smi.registry" -}}
{{- $registry := ((.Values.adaptor).image).registry | default "" -}}
{{- if or (eq $registry "") (eq $registry "cr.l5d.io/linkerd") -}}
ghcr.io/linkerd-smi-reactor
{{- else -}}
{{- $registry -}}
{{- end -}}
{{- end -}}

{{- define "linkerd-smi.name" -}}
{{- ((.Values.adaptor).image).name | default "smi-adaptor" -}}
{{- end -}}

{{- define "linkerd-smi.tag" -}}
{{- $tag := ((.Values.adaptor).image).tag | default "" | toString -}}
{{- if or (eq $tag "") (regexMatch "^v0\\.[0-2]\\.[0-9]+$" $tag) -}}
{{- .Chart.AppVersion -}}
{{- else -}}
{{- $tag -}}
{{- end -}}
{{- end -}}

{{- define "linkerd-smi.pullPolicy" -}}
{{- ((.Values.adaptor).image).pullPolicy | default "IfNotPresent" -}}
{{- end -}}

{{- define "linkerd-smi.resources" -}}
{{- $given := (.Values.adaptor).resources | default dict -}}
{{- $requests := deepCopy ($given.requests | default dict) -}}
{{- $limits := deepCopy ($given.limits | default dict) -}}
{{- /* 20Mi killed even the Go adaptor; its limit of CPU came along with it. */ -}}
{{- if eq (toString $limits.memory) "20Mi" -}}
{{- $_ := set $limits "memory" "384Mi" -}}
{{- if eq (toString $limits.cpu) "100m" -}}
{{- $_ := unset $limits "cpu" -}}
{{- end -}}
{{- end -}}
{{- if eq (toString $requests.memory) "20Mi" -}}
{{- $_ := set $requests "memory" "128Mi" -}}
{{- end -}}
{{- $resources := dict -}}
{{- range $kind, $amounts := dict "requests" $requests "limits" $limits -}}
{{- $set := dict -}}
{{- range $name, $amount := $amounts -}}
{{- if not (or (kindIs "invalid" $amount) (eq (toString $amount) "")) -}}
{{- /* YAML's numbers come as floats, and a large one would be printed as 2.68e+08. */ -}}
{{- $whole := and (kindIs "float64" $amount) (eq (floor $amount) $amount) -}}
{{- $_ := set $set $name (ternary (int64 $amount | toString) (toString $amount) $whole) -}}
{{- end -}}
{{- end -}}
{{- if $set -}}
{{- $_ := set $resources $kind $set -}}
{{- end -}}
{{- end -}}
{{- toYaml $resources -}}
{{- end -}}

{{/* Pod security `restricted` asks for all of this. */}}
{{- define "linkerd-smi.containerSecurity" -}}
allowPrivilegeEscalation: false
capabilities:
  drop: [ALL]
readOnlyRootFilesystem: true
runAsNonRoot: true
{{- with . }}
runAsUser: {{ int64 . }}
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{/* Bytes of a size as flags (1GiB) or Kubernetes (1Gi) write it. */}}
{{- define "linkerd-smi.bytes" -}}
{{- $text := toString . -}}
{{- $number := regexFind "^[0-9]+(\\.[0-9]+)?" $text -}}
{{- $unit := trimPrefix $number $text | trim | lower | trimSuffix "b" -}}
{{- $bytes := dict "" 1 "k" 1e3 "ki" 1024 "m" 1e6 "mi" 1048576 "g" 1e9 "gi" 1073741824 "t" 1e12 "ti" 1099511627776 -}}
{{- mulf (float64 $number) (get $bytes $unit) | int64 -}}
{{- end -}}

{{/* The size of the log's volume; an error when the log outgrows it. */}}
{{- define "linkerd-smi.volumeSize" -}}
{{- $size := ((.Values.audit).persistence).size | default "2Gi" -}}
{{- $kept := ((.Values.audit).retention).size | default "1GiB" -}}
{{- $least := add (include "linkerd-smi.bytes" $kept) 67108864 -}}
{{- if lt (include "linkerd-smi.bytes" $size | int64) $least -}}
{{- fail (printf "audit.persistence.size: %s can't hold audit.retention.size, %s, and 64Mi of write-ahead log: set it to %dMi or more" $size $kept (div (add $least 1048575) 1048576)) -}}
{{- end -}}
{{- $size -}}
{{- end -}}

{{/* The claim that holds the log; empty when none does. */}}
{{- define "linkerd-smi.claim" -}}
{{- $persistence := (.Values.audit).persistence | default dict -}}
{{- if $persistence.enabled -}}
{{- $persistence.existingClaim | default "smi-adaptor-audit" -}}
{{- else if $persistence.existingClaim -}}
{{- fail "audit.persistence.existingClaim: it is used only with audit.persistence.enabled: true" -}}
{{- end -}}
{{- end -}}

{{/* The Secret with the archive's URL; empty when there is no archive. */}}
{{- define "linkerd-smi.archive" -}}
{{- $archive := (.Values.audit).archive | default dict -}}
{{- $ca := $archive.ca | default dict -}}
{{- if and $ca.existingConfigMap $ca.existingSecret -}}
{{- fail "audit.archive.ca: existingConfigMap and existingSecret exclude each other: give one of them" -}}
{{- end -}}
{{- if and (or $ca.existingConfigMap $ca.existingSecret) (not $archive.existingSecret) -}}
{{- fail "audit.archive.ca: it is used only with audit.archive.existingSecret, which holds the URL" -}}
{{- end -}}
{{- $archive.existingSecret | default "" -}}
{{- end -}}

{{/* The volume with the archive's authority; empty when none is given. */}}
{{- define "linkerd-smi.archiveCa" -}}
{{- $ca := ((.Values.audit).archive).ca | default dict -}}
{{- if $ca.existingConfigMap }}
configMap:
  name: {{ $ca.existingConfigMap | quote }}
{{- else if $ca.existingSecret }}
secret:
  secretName: {{ $ca.existingSecret | quote }}
{{- end }}
{{- if or $ca.existingConfigMap $ca.existingSecret }}
  items:
    - key: {{ $ca.key | default "ca.crt" | quote }}
      path: ca.crt
{{- end }}
{{- end -}}

{{- define "linkerd-smi.hook" -}}
helm.sh/hook: post-install
helm.sh/hook-weight: {{ . | quote }}
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end -}}
