/** Spells names in Latin letters, so that Chinese names are found by pinyin or its initials. */

/**
 * Each syllable with the first character that browsers sort under it: they know the pinyin of every character, but tell only which of two
 * comes first. Of the 6,763 characters of GB 2312, three fall under a reading they do not have.
 */
const SYLLABLES = [
  'a吖ai哎an安ang肮ao凹ba丷bai挀ban扳bang邦bao勹bei卑ben奔beng伻bi屄bian边biao灬bie憋bin汃bing冫bo癶bu峬ca嚓cai偲can参cang仓cao撡ce冊cen嵾ceng曽cha叉',
  'chai芆chan辿chang伥chao抄che车chen抻cheng阷chi吃chong充chou抽chu出chuai揣chuan踹chuang刅chui吹chun旾chuo逴ci呲cong匆cou凑cu粗cuan汆cui崔cun邨',
  'cuo搓da咑dai呆dan丹dang当dao刀de嘚den扥deng灯di氐dian敁diao刁die爹ding丁diu丟dong东dou吺du厾duan耑dui垖dun吨duo多e妸ei诶en奀eng鞥er儿fa发fan帆fang匚',
  'fei飞fen分feng丰fiao覅fo仏fou紑fu夫ga旮gai侅gan甘gang冈gao皋ge戈gei给gen根geng刯gong工gou勾gu估gua瓜guai乖guan关guang光gui归gun丨guo呙ha哈hai咍han佄',
  'hang夯hao茠he诃hei黒hen拫heng亨hong叿hou齁hu乎hua花huai怀huan欢huang巟hui灰hun昏huo吙ji丌jia加jian戋jiang江jiao艽jie阶jin巾jing坕jiong冂jiu丩ju凥',
  'juan姢jue噘jun军ka咔kai开kan刊kang忼kao尻ke匼ken肎keng劥kong空kou抠ku扝kua夸kuai蒯kuan宽kuang匡kui亏kun坤kuo扩la垃lai来lan兰lang啷lao捞le仂lei勒',
  'leng崚li哩lia俩lian奁liang良liao撩lie毟lin拎ling伶liu溜lo囖long龙lou瞜lu噜lv驴luan娈lve掠lun抡luo啰ma妈mai埋man嫚mang牤mao猫me嚒mei呅men椚meng擝mi咪',
  'mian宀miao喵mie乜min民ming名miu谬mo摸mou哞mu毪na拏nai腉nan囡nang囔nao孬ne疒nei娞nen恁neng能n嗯ni妮nian拈niang娘niao鸟nie捏nin囜ning宁niu妞nong农nou羺',
  'nu奴nv女nuan奻nve疟nun黁nuo郍o喔ou讴pa妑pai拍pan眅pang乓pao抛pei呸pen喷peng匉pi丕pian囨piao剽pie氕pin姘ping聘po钋pou剖pu仆qi七qia掐qian千qiang呛qiao悄',
  'qie苆qin亲qing靑qiong卭qiu丘qu区quan奍que炔qun夋ran呥rang穣rao娆re惹ren人reng扔ri日rong戎rou厹ru邚ruan堧rui婑run瞤ruo捼sa仨sai毢san三sang桒sao掻se閪',
  'sen森seng僧sha杀shai筛shan山shang伤shao弰she奢shen申sheng升shi尸shou収shu书shua刷shuai衰shuan闩shuang双shui脽shun吮shuo说si厶song忪sou凁su苏',
  'suan狻sui夊sun孙suo唆ta他tai囼tan坍tang汤tao夲te忑teng熥ti剔tian天tiao旫tie帖ting厅tong囲tou偷tu凸tuan湍tui推tun吞tuo乇wa屲wai歪wan弯wang尢wei危wen昷',
  'weng翁wo挝wu乌xi夕xia呷xian仙xiang乡xiao灱xie些xin心xing星xiong凶xiu休xu吁xuan吅xue削xun坃ya丫yan恹yang央yao幺ye倻yi一yin囙ying应yo哟yong佣you优yu込',
  'yuan囦yue曰yun晕za帀zai災zan兂zang匨zao傮ze则zei贼zen怎zeng増zha扎zhai夈zhan枬zhang张zhao佋zhe蜇zhen贞zheng凧zhi之zhong中zhou州zhu朱zhua抓zhuai跩',
  'zhuan专zhuang妆zhui隹zhun宒zhuo拙zi乲zong宗zou邹zu租zuan钻zui厜zun尊zuo嘬',
].join('')

/** Readings that characters have as (sur)names, or in words of the program, beside the one they are sorted under. */
const AS_NAMES = '曾zeng单shan仇qiu解xie查zha区ou朴piao翟zhai乐yue尉yu盖ge重chong缪miao覃qin卜bu洗xian晟sheng薄bo召shao牟mu适kuo弹tan'

type Reading = (character: string) => readonly string[]

function pairs(text: string, pattern: RegExp): readonly (readonly [string, string])[] {
  return [...text.matchAll(pattern)].map(([, first = '', second = '']) => [first, second])
}

/** The readings of a character; none where the browser knows no pinyin. */
export function reader(locale = 'zh-u-co-pinyin'): Reading {
  const order = new Intl.Collator(locale)
  if (order.compare('阿', '做') >= 0 || order.compare('一', '二') < 0) return () => []
  const syllables = pairs(SYLLABLES, /([a-z]+)([^a-z])/gu)
  const asNames = new Map(pairs(AS_NAMES, /([^a-z])([a-z]+)/gu))
  const known = new Map<string, readonly string[]>()
  return (character) => {
    const before = known.get(character)
    if (before !== undefined) return before
    let low = 0
    let high = syllables.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (order.compare((syllables[middle] as readonly [string, string])[1], character) <= 0) low = middle + 1
      else high = middle
    }
    const readings = [syllables[low - 1]?.[0], asNames.get(character)].filter((reading) => reading !== undefined)
    known.set(character, readings)
    return readings
  }
}

let readings: Reading | null = null

/** Lower case, without accents. */
function plain(text: string): string {
  return text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
}

/** What a name is put together from: each Han character by its readings, each other word by itself. */
function units(name: string): readonly (readonly string[])[] {
  const read = (readings ??= reader())
  const words = plain(name).match(/\p{Script=Han}|(?:(?!\p{Script=Han})[\p{L}\p{N}])+/gu) ?? []
  return words.map((word) => (/\p{Script=Han}/u.test(word) ? read(word) : [word]))
}

/** Whether what was typed is beginnings of these units, one after the other. */
function follows(typed: string, name: readonly (readonly string[])[], from: number): boolean {
  if (typed === '') return true
  return (name[from] ?? []).some((unit) => {
    for (let length = Math.min(unit.length, typed.length); length > 0; length--)
      if (unit.startsWith(typed.slice(0, length)) && follows(typed.slice(length), name, from + 1)) return true
    return false
  })
}

/** 1 if the name is spelled like what was typed from its beginning ("xm" and "xiaomei" for 小梅, "ml" for Mei Lin), 2 if from a later word, else 3. */
export function spelled(name: string, typed: string): 1 | 2 | 3 {
  const wanted = plain(typed).replace(/[^\p{L}\p{N}]/gu, '')
  if (wanted === '' || /\p{Script=Han}/u.test(wanted)) return 3
  const parts = units(name)
  const start = parts.findIndex((_, index) => follows(wanted, parts, index))
  return start < 0 ? 3 : start === 0 ? 1 : 2
}
