/** What the calls about consent exchange; the API does not describe it yet. */

export type Purpose = 'recognise' | 'show_inside' | 'publish'

export interface ConsentOut {
  readonly id: number
  readonly purpose: Purpose
  readonly state: 'given' | 'withdrawn'
  readonly basis: string | null
  /** or withdrawn */
  readonly given_on: string
  readonly valid_until: string | null
  readonly guardian: string
  readonly document: string
  readonly entered_by: string
  readonly entered_at: string
  /** it is the last word on this purpose, given, and has not ended */
  readonly valid: boolean
}

export interface PersonConsentsOut {
  readonly person_id: number
  readonly name: string
  /** without consent to it, nobody is recognised */
  readonly required: boolean
  readonly recognised: boolean
  readonly agreed: readonly Purpose[]
  /** newest first */
  readonly entries: readonly ConsentOut[]
}

export interface EndingConsent extends ConsentOut {
  readonly person_id: number
  readonly person: string
}

export interface ConsentGiven {
  readonly purposes: readonly Purpose[]
  readonly refused: readonly Purpose[]
  readonly basis: string
  readonly given_on: string | null
  readonly valid_until: string | null
  readonly guardian: string
  readonly document: string
}

export interface ReceiptOut {
  readonly at: string
  readonly purpose: Purpose
  readonly embeddings: number
  readonly chips: number
  readonly backups_pending: boolean
}
