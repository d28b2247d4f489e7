/** The shapes that cross the HTTP API, as `agent/api/schemas.py` defines them. */

export interface Problem {
  readonly code: string
  readonly cause: string
  readonly remedy: string
}

export interface FaceOut {
  readonly id: number
  /** left, top, width, height in pixels of the upright image */
  readonly box: readonly [number, number, number, number]
  readonly score: number
  readonly person_id: number | null
  readonly person: string | null
  readonly certainty: 'confirmed' | 'certain' | 'probable' | null
  /** references that agree, of `references` */
  readonly agree: number
  readonly references: number
}

export interface ImageOut {
  readonly id: number
  readonly name: string
  readonly folder: string
  readonly path: string
  readonly places: number
  readonly width: number
  readonly height: number
  readonly faces: readonly FaceOut[]
  readonly indexed_at: string
}

export interface ImagePage {
  readonly items: readonly ImageOut[]
  /** pass as `before` for the following page; null at the end */
  readonly next: number | null
}

export interface PlaceProblem {
  readonly place_id: number
  readonly name: string
  readonly path: string
  readonly quarantined: boolean
  readonly at: string
  readonly problem: Problem
}

export interface Burst {
  readonly done: number
  readonly total: number
  /** photos per second, lately */
  readonly rate: number
  readonly seconds_left: number | null
  readonly faces: number
  readonly failed: number
}

export interface FolderState {
  readonly path: string
  readonly name: string
  readonly problem: Problem | null
}

export interface Status {
  readonly version: string
  readonly state: 'idle' | 'working' | 'paused' | 'attention'
  readonly language: 'en' | 'zh-CN'
  readonly theme: 'auto' | 'light' | 'dark'
  readonly popup_seconds: number
  readonly recognition: boolean
  readonly queued: number
  readonly failed: number
  readonly images: number
  readonly faces: number
  readonly people: number
  readonly burst: Burst | null
  readonly folders: readonly FolderState[]
  readonly problem: Problem | null
}

export interface EventOut {
  readonly id: number
  readonly at: string
  readonly kind:
    | 'image_indexed'
    | 'place_added'
    | 'place_moved'
    | 'place_lost'
    | 'image_failed'
    | 'person_named'
    | 'recognition_purged'
  readonly image_id?: number | null
  readonly place_id?: number | null
  readonly person_id?: number | null
  readonly faces?: number | null
  readonly code?: string | null
}

export interface PersonOut {
  readonly id: number
  readonly name: string
  readonly faces: number
}

export interface NameFace {
  readonly face_id: number
  readonly name: string
}
