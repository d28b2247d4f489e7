import type { Setting } from '../src/api/settingsApi'
import type { FaceOut, ImageOut, PlaceProblem, Status } from '../src/api/types'

export function face(box: FaceOut['box'] = [10, 10, 20, 20], over: Partial<FaceOut> = {}): FaceOut {
  return { id: 1, box, score: 0.9, person_id: null, person: null, certainty: null, agree: 0, references: 0, ignored: false, ...over }
}

export function image(id: number, over: Partial<ImageOut> = {}): ImageOut {
  return {
    id,
    name: `${id}.jpg`,
    folder: 'in',
    path: `/in/${id}.jpg`,
    places: 1,
    width: 400,
    height: 300,
    faces: [],
    indexed_at: new Date(1_800_000_000_000 + id * 1000).toISOString(),
    taken_at: '2026-11-14T10:00:00',
    size: 1,
    format: 'JPEG',
    hidden: false,
    favourite: false,
    ...over,
  }
}

export function failed(place_id: number, second: number): PlaceProblem {
  const at = new Date(1_800_000_000_000 + second * 1000).toISOString()
  return { place_id, name: 'bad.jpg', path: '/in/bad.jpg', quarantined: false, action: 'clear', at, problem: { code: 'image.corrupt', cause: 'C', remedy: 'R', params: {} } }
}

export function status(over: Partial<Status> = {}): Status {
  return {
    version: '1',
    state: 'idle',
    language: 'en',
    theme: 'auto',
    letter_keys: true,
    popup_seconds: 12,
    recognition: false,
    queued: 0,
    online_only: 0,
    failed: 0,
    images: 0,
    faces: 0,
    people: 0,
    doubts: 0,
    people_changed: 0,
    captures: 0,
    captures_changed: 0,
    watch: 'off',
    watch_said: 0,
    burst: null,
    folders: [],
    problem: null,
    quiet_until: null,
    ...over,
  }
}

export function setting(over: Partial<Setting> = {}): Setting {
  return {
    key: 'popup.seconds',
    title: 'Hide after',
    help: 'Pointing at it stops the time.',
    kind: 'number',
    value: 12,
    default: 12,
    minimum: 2,
    maximum: 3_600,
    step: 1,
    unit: 's',
    choices: [],
    advanced: false,
    overridden: false,
    variable: null,
    also: '自动隐藏',
    restart: false,
    ...over,
  }
}

/** The index of the library as the agent packs it; all photos are 4:3, and of these days and counts. */
export function packed(ids: readonly number[], days: readonly (readonly [number, number])[]): ArrayBuffer {
  const bytes = new ArrayBuffer(8 + 6 * ids.length + 8 * days.length)
  const view = new DataView(bytes)
  let at = 0
  const put = (value: number): void => {
    view.setInt32(at, value, true)
    at += 4
  }
  for (const value of [ids.length, days.length, ...ids, ...days.map(([day]) => day), ...days.map(([, count]) => count)]) put(value)
  ids.forEach((_, place) => view.setUint16(at + 2 * place, 133, true))
  return bytes
}
