/** Requests that are sent before the browser has loaded the program; the program takes the answers from here. */

import { session } from './pageSession'

export const SEES_PHOTOS = 'sees-photos'

const asked = new Map<string, Promise<Response>>()

/** Asks; the answer waits for who takes it. */
export function askEarly(path: string): Promise<Response> {
  const answer = session.ask(path)
  asked.set(path, answer)
  return answer
}

/** The prefetched answer, once: a second request goes to the agent. */
export function takeEarly(path: string): Promise<Response> | undefined {
  const answer = asked.get(path)
  asked.delete(path)
  return answer
}

/** Whether who used this browser last may see the server's photos: to ask for them all the same would be recorded as a refusal. */
export function sawPhotos(): boolean {
  return globalThis.localStorage?.getItem(SEES_PHOTOS) === 'yes'
}

export function rememberSeesPhotos(sees: boolean): void {
  globalThis.localStorage?.setItem(SEES_PHOTOS, sees ? 'yes' : 'no')
}
