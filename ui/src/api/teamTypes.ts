/** What the calls exchange that the API does not describe yet. */

export interface ServerOut {
  readonly name: string
  readonly fingerprint: string | null
  readonly version: string
}

export interface WorkerOut {
  readonly name: string
  readonly host: string
  readonly state: 'idle' | 'working' | 'blocked' | 'draining' | 'gone'
  readonly since: string
  readonly done: number
  readonly rate: number
  readonly errors: number
  readonly seen_at: string
}

export interface QueueOut {
  readonly items: readonly { readonly priority: number; readonly waiting: number; readonly running: number; readonly failed: number; readonly oldest: string | null }[]
}
