/** Sends files in parts by the protocol tus 1.0: a broken connection loses no more than a part. */

import { ApiError, Unreachable, type Client } from './client'
import { session } from './pageSession'
import type { Problem, UploadsOut } from './types'

export interface Sent {
  /** bytes that have arrived */
  readonly offset: number
  /** null: unfinished */
  readonly outcome: 'stored' | 'duplicate' | null
}

const TUS = { 'tus-resumable': '1.0.0' }
/** Without any progress for so long the connection is given up. */
const STALL_MS = 30_000

export class UploadApi {
  constructor(private readonly client: Pick<Client, 'request' | 'send'>) {}

  /** One's own unfinished ones, and what the server takes. */
  unfinished = (): Promise<UploadsOut> => this.client.request('GET', '/api/uploads')
  remove = async (place: string): Promise<void> => void (await this.client.send(place, { method: 'DELETE', headers: TUS }))
  offset = async (place: string): Promise<Sent> => {
    const { headers } = await this.client.send(place, { method: 'HEAD', headers: TUS })
    return sentOf((name) => headers.get(name))
  }

  /** The address of a new upload. */
  begin = async (file: File, library: number | null): Promise<string> => {
    const said: Record<string, string> = { filename: file.name, modified: String(file.lastModified) }
    if (library !== null) said['library'] = String(library)
    const metadata = Object.entries(said).map(([name, value]) => `${name} ${base64(value)}`)
    const headers = { ...TUS, 'upload-length': String(file.size), 'upload-metadata': metadata.join(',') }
    return (await this.client.send('/api/uploads', { method: 'POST', headers })).headers.get('location') ?? ''
  }

  /** Sends the next part; `onprogress` is told the bytes of it that left. Only XMLHttpRequest tells that. */
  part = (place: string, part: Blob, offset: number, onprogress: (bytes: number) => void, signal: AbortSignal): Promise<Sent> =>
    new Promise((resolve, reject) => {
      const request = new XMLHttpRequest()
      const failed = (): void => reject(new Unreachable(place))
      let stalled = setTimeout(() => request.abort(), STALL_MS)
      const alive = (): void => {
        clearTimeout(stalled)
        stalled = setTimeout(() => request.abort(), STALL_MS)
      }
      const abort = (): void => request.abort()
      request.open('PATCH', place)
      const headers = { ...TUS, ...session.headers(), 'content-type': 'application/offset+octet-stream', 'upload-offset': String(offset) }
      for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value)
      request.upload.onprogress = ({ loaded }) => {
        alive()
        onprogress(loaded)
      }
      request.onerror = request.onabort = failed
      request.onload = () => {
        if (request.status === 204) resolve(sentOf((name) => request.getResponseHeader(name)))
        else reject(new ApiError(request.status, problemOf(request)))
      }
      request.onloadend = () => {
        clearTimeout(stalled)
        signal.removeEventListener('abort', abort)
      }
      signal.addEventListener('abort', abort)
      request.send(part)
    })
}

function sentOf(header: (name: string) => string | null): Sent {
  const outcome = header('upload-outcome')
  return { offset: Number(header('upload-offset')), outcome: outcome === 'stored' || outcome === 'duplicate' ? outcome : null }
}

function problemOf(request: XMLHttpRequest): Problem {
  try {
    return JSON.parse(request.responseText) as Problem
  } catch {
    return { code: `http.${request.status}`, cause: request.statusText, remedy: '', params: {} }
  }
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)))
}
