/** The status page's part of the API: how the program fares, and what its own checks found. */

export interface EngineProcess {
  readonly pid: number
  readonly memory_mb: number
  readonly device: string
  readonly precision: string
}

export interface Sample {
  readonly at: string
  readonly agent_mb: number
  readonly engine_mb: number
  /** of all cores together, 0 to 100 */
  readonly cpu_pct: number
  /** looked at since the sample before */
  readonly images: number
}

export interface ModelState {
  readonly name: string
  readonly role: string
  readonly state: 'present' | 'missing' | 'damaged'
  readonly licence: string
  readonly terms: string
  readonly sha256: string
}

export interface HealthReport {
  readonly engine: {
    readonly state: string
    readonly processes: readonly EngineProcess[]
    readonly restarts: number
    readonly device_note: string | null
  }
  readonly models: readonly ModelState[]
  readonly memory: { readonly agent_mb: number; readonly engine_mb: number; readonly limit_mb: number }
  readonly cpu: { readonly agent_pct: number; readonly engine_pct: number; readonly limit: number }
  /** the last hour, oldest first; with gaps while nothing was to be done */
  readonly history: readonly Sample[]
  /** bytes */
  readonly disk: { readonly free: number; readonly library: number; readonly thumbnails: number; readonly backups: number }
  /** mean milliseconds per photo */
  readonly stages: { readonly decode: number; readonly detect: number; readonly align: number; readonly embed: number }
  readonly last_backup: string | null
  readonly power: { readonly battery: boolean; readonly percent: number | null; readonly throttled: 'battery' | 'battery_low' | 'busy' | null }
}

export interface Check {
  readonly name: string
  readonly title: string
  readonly state: 'ok' | 'absent' | 'failed'
  readonly text: string
  readonly code: string | null
}
