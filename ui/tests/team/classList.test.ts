import * as teamPage from 'virtual:texts/team_page'
import * as listPage from 'virtual:texts/list_page'
import { describe, expect, it, vi } from 'vitest'

import { ApiError, Unreachable } from '../../src/api/client'
import type { ListedPersonOut, ListRead, PersonOnList, ReferenceOut } from '../../src/api/types'
import { extend, texts } from '../../src/lib/i18n'
import { ClassList } from '../../src/team/classList.svelte'
import { wrongLine } from '../../src/team/wrongLine'

extend(teamPage)
extend(listPage)
const app = { t: texts('en'), refresh: vi.fn(), refuse: vi.fn() }
const refused = (status: number, code: string): ApiError => new ApiError(status, { code, cause: 'C', remedy: 'R', params: {} })
const photo = (name: string, folder = ''): File => {
  const file = new File(['x'], name)
  Object.defineProperty(file, 'webkitRelativePath', { value: folder ? `${folder}/${name}` : '' })
  return file
}
const person = (line: number, name: string, photos: readonly string[] = [], purposes: ListedPersonOut['purposes'] = ['recognise']): ListedPersonOut => ({
  line, name, photos, purposes, new: true, refused: [], basis: 'guardian', given_on: null, valid_until: null, guardian: 'G', document: '', birth_date: null,
})

/** A server in memory. */
class Server {
  read: ListRead = { people: [person(2, 'Mei', ['a.jpg', 'class/b.jpg']), person(3, 'Wang', ['a/C.JPG']), person(4, 'Li', ['d.jpg'], ['publish'])], wrong: [], ignored: [], libraries: [] }
  faults = new Map<string, Error>()
  readonly resembling = new Map<string, { readonly id: number; readonly name: string }>()
  readonly entered: string[] = []
  readonly photos: string[] = []

  readList = (): Promise<ListRead> => Promise.resolve(this.read)
  enter = async (one: PersonOnList): Promise<{ person_id: number; new: boolean; entered: number }> => {
    expect(Object.keys(one)).not.toContain('line')
    this.fail(one.name)
    this.entered.push(one.name)
    return { person_id: this.entered.length, new: true, entered: 2 }
  }
  addReference = async (id: number, file: Blob, library: string): Promise<ReferenceOut> => {
    this.fail((file as File).name)
    this.photos.push(`${id} ${(file as File).name} ${library}`)
    return { added: true, undo: (file as File).name, resembles: this.resembling.get((file as File).name) ?? null }
  }
  readonly undone: string[] = []
  undo = async (token: string): Promise<void> => {
    this.fail(`undo ${token}`)
    this.undone.push(token)
  }
  private fail(what: string): void {
    const fault = this.faults.get(what)
    this.faults.delete(what)
    if (fault) throw fault
  }
}

async function chosen(server = new Server()): Promise<{ readonly list: ClassList; readonly server: Server }> {
  const list = new ClassList(server, server.undo, app)
  await list.choose(new File(['name'], 'class.csv'))
  list.add([photo('a.jpg'), photo('b.jpg', 'portraits/class'), photo('c.jpg', 'portraits/a')])
  return { list, server }
}

describe('a class list', () => {
  it('finds the photos of those who agree to be recognised, by their paths or names', async () => {
    const { list, server } = await chosen()
    expect([list.named.length, list.portraits.length, list.missing, list.total]).toEqual([3, 3, [], 6])
    await list.start()
    expect([list.phase, list.ended, list.made, list.entered, list.added]).toEqual(['done', 6, 3, 6, 3])
    expect(server.photos).toEqual(['1 a.jpg ', '1 b.jpg ', '2 c.jpg '])
  })

  it('tells the time left once the pace of the photos is known', async () => {
    const server = new Server()
    server.read = { ...server.read, people: [person(2, 'Mei', ['a.jpg', 'b.jpg', 'c.jpg', 'd.jpg', 'e.jpg'])] }
    let now = 0
    const list = new ClassList(server, server.undo, app, () => now)
    await list.choose(new File(['name'], 'class.csv'))
    list.add(['a', 'b', 'c', 'd', 'e'].map((name) => photo(`${name}.jpg`)))
    const told: (number | null)[] = []
    const { addReference } = server
    server.addReference = async (...photo) => {
      told.push(list.secondsLeft)
      now += 2_000
      return addReference(...photo)
    }
    await list.start()
    expect(told).toEqual([null, null, null, 4, 2])
  })

  it('enters nothing while a line is wrong, or before the library is chosen', async () => {
    const server = new Server()
    server.read = { ...server.read, libraries: ['One', 'Two'] }
    const { list } = await chosen(server)
    await list.start()
    expect([list.undecided, server.entered]).toEqual([true, []])
    list.library = 'Two'
    expect(list.ready).toBe(true)
    list.read = { ...server.read, wrong: [{ code: 'people.list_bad_row', cause: 'C', remedy: 'R', params: { line: 5, column: 'guardian' } }] }
    expect(list.ready).toBe(false)
    expect(list.read.wrong.map((each) => wrongLine(each, app.t))).toEqual(['Line 5: “guardian” is missing or can’t be used.'])
    expect(wrongLine({ code: 'people.list_bad_row', cause: 'C', remedy: 'R', params: { line: 6, column: 'purposes' } }, app.t)).toContain('show_inside')
    expect(wrongLine({ code: 'people.list_bad_row', cause: 'C', remedy: 'R', params: { line: 7, column: 'birth_date' } }, app.t)).toContain('2016-03-01')
  })

  it('names who and which photos were refused, and imports the others', async () => {
    const server = new Server()
    server.faults.set('Wang', refused(422, 'people.guardian_needed')).set('a.jpg', refused(422, 'people.reference_blurred'))
    const { list } = await chosen(server)
    await list.start()
    expect(list.refused.map(({ person, photo, problem }) => [person, photo, problem.code])).toEqual([
      ['Wang', null, 'people.guardian_needed'],
      ['Mei', 'a.jpg', 'people.reference_blurred'],
    ])
    expect([list.phase, server.photos]).toEqual(['done', ['1 b.jpg ']])
  })

  it('goes on where the connection broke, without entering anyone twice', async () => {
    const server = new Server()
    server.faults.set('b.jpg', new Unreachable('gone'))
    const { list } = await chosen(server)
    await list.start()
    expect([list.phase, list.problem?.code, list.ended]).toEqual(['stopped', 'server.unreachable', 4])
    await list.start()
    expect([list.phase, list.problem, list.ended, server.entered.length, server.photos.length]).toEqual(['done', null, 6, 3, 3])
  })

  it('stops after the current one, and a new list begins anew', async () => {
    const { list, server } = await chosen()
    const running = list.start()
    list.stop()
    await running
    expect([list.phase, server.entered]).toEqual(['stopped', ['Mei']])
    await list.choose(new File(['name'], 'other.csv'))
    expect([list.phase, list.ended, list.name]).toEqual(['choosing', 0, 'other.csv'])
  })

  it('is undone at once: all references that it added, the last one first', async () => {
    const { list, server } = await chosen()
    await list.start()
    await list.undo()
    expect([list.phase, list.undone, list.steps, server.undone]).toEqual(['undone', 3, [], ['c.jpg', 'b.jpg', 'a.jpg']])
    await list.undo()
    expect(server.undone.length).toBe(3)
  })

  it('names the photos that show another person, each of which can be removed', async () => {
    const { list, server } = await chosen()
    server.resembling.set('b.jpg', { id: 9, name: 'Lei' }).set('c.jpg', { id: 1, name: 'Mei' })
    await list.start()
    expect(list.doubtful.map(({ person, photo, resembles }) => [person, photo, resembles])).toEqual([['Mei', 'class/b.jpg', 'Lei'], ['Wang', 'a/C.JPG', 'Mei']])
    await list.remove(list.doubtful[0]!)
    expect([list.phase, server.undone, list.steps, list.doubtful.map(({ photo }) => photo)]).toEqual(['done', ['b.jpg'], ['a.jpg', 'c.jpg'], ['a/C.JPG']])
    await list.undo()
    expect([list.doubtful, list.undone]).toEqual([[], 3])
  })

  it('undoes the rest when it was interrupted, and passes over what is gone', async () => {
    const server = new Server()
    server.faults.set('undo b.jpg', new Unreachable('gone')).set('undo a.jpg', refused(404, 'people.nothing_to_undo'))
    const { list } = await chosen(server)
    await list.start()
    await list.undo()
    expect([list.phase, list.problem?.code, list.steps]).toEqual(['done', 'server.unreachable', ['a.jpg', 'b.jpg']])
    await list.undo()
    expect([list.phase, list.problem, list.undone, server.undone]).toEqual(['undone', null, 2, ['c.jpg', 'b.jpg']])
  })

  it('says why a list can not be read', async () => {
    const server = new Server()
    server.readList = () => Promise.reject(refused(400, 'people.list_unreadable'))
    const list = new ClassList(server, server.undo, app)
    await list.choose(new File(['x'], 'photo.jpg'))
    expect([list.problem?.code, list.read]).toEqual(['people.list_unreadable', null])
  })
})
