/** What is asked for before the program itself has been read by the browser; the program takes it from here instead of asking again. */

import { session } from './pageSession'

const asked = new Map<string, Promise<Response>>()

/** Asks; the answer waits for who takes it. */
export function askEarly(path: string): Promise<Response> {
  const answer = session.ask(path)
  asked.set(path, answer)
  return answer
}

/** The answer to what was asked early, once: whoever asks a second time wants to know anew. */
export function takeEarly(path: string): Promise<Response> | undefined {
  const answer = asked.get(path)
  asked.delete(path)
  return answer
}
