/** Of the end of a reply; what asks the user stands near it. */
const END_CHARS = 4_000

/**
 * Whether a reply leaves the next move to the user: it ends with a question, or says that it needs their input,
 * permission or decision. Only the end of the reply counts: a question that the reply itself goes on to answer is none.
 */
export function asksTheUser(reply: string): boolean {
  const paragraphs = prose(reply)
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.trim())
    .filter((paragraph) => paragraph !== '')
  // A question is often followed by its choices: then the last paragraph before them asks it.
  let at = paragraphs.length - 1
  while (at > 0 && isList(paragraphs[at] ?? '')) at -= 1
  return paragraphs.slice(at).some((paragraph) => endsAsQuestion(paragraph) || saysItNeedsTheUser(paragraph))
}

/** The end of a reply without code and addresses, whose question marks ask nothing. */
function prose(reply: string): string {
  let fence = ''
  const lines = reply.split('\n').map((line) => {
    const mark = /^\s{0,3}(`{3,}|~{3,})/.exec(line)?.[1] ?? ''
    if (fence === '') {
      fence = mark
      return mark === '' ? line : ''
    }
    if (mark.startsWith(fence)) fence = ''
    return ''
  })
  return lines
    .join('\n')
    .slice(-END_CHARS)
    .replace(/\bhttps?:\/\/[^\s)>\]]+/g, ' link ')
}

const LIST_ITEM = /^\s*(?:[-*+•]|\(?(?:\d{1,2}|[A-Za-z])[.):])\s+\S/

/** All lines are list items or go on with one. */
function isList(paragraph: string): boolean {
  const lines = paragraph.split('\n')
  return LIST_ITEM.test(lines[0] ?? '') && lines.every((line) => LIST_ITEM.test(line) || /^\s{2,}\S/.test(line))
}

/** Latin and full width, Arabic, Greek, Ethiopic, Vai, Bamum, Medefaidrin, and the doubled and mixed ones. */
const QUESTION_MARK = /[?？﹖؟\u037e፧⁇⁈⁉‽⸮꘏꛷\u{16e9a}]$/u
/** In Greek the question mark is mostly typed as a semicolon; Armenian sets its own inside the word asked about. */
const LOCAL_QUESTION = /\p{Script=Greek}[^.;]*;$|՞[^։]*։?$/u
/** Where a question needs no mark: Japanese, Chinese, Korean, Thai. */
const ASKING_END =
  /(?:(?:です|ます|ましょう|でしょう|ません)か|[吗嗎]|니까|까요|나요|ไหม|มั้ย|หรือไม่|หรือเปล่า)(?:ครับ|คะ)?[。.．]?$/u
/** What may stand behind the mark: closing quotes, brackets, emphasis, white space, emoji. */
const CLOSER = /^(?:[\s*_~`"'’”»«)\]}）」』】〉》!！]|\p{Extended_Pictographic}|\ufe0f|\u200d)$/u

function endsAsQuestion(paragraph: string): boolean {
  // With choices written right below it, the question is the last line above them.
  const line = paragraph.split('\n').findLast((text) => !LIST_ITEM.test(text)) ?? paragraph
  return [paragraph, line].some((candidate) => {
    const chars = [...candidate]
    const end = chars.slice(0, chars.findLastIndex((char) => !CLOSER.test(char)) + 1).join('')
    return QUESTION_MARK.test(end) || ASKING_END.test(end) || LOCAL_QUESTION.test(end)
  })
}

/** "need", but not "do not need". */
const NOT_DENIED = String.raw`(?<!\b(?:not|n['’]t|no longer|never|without) )`
const NEED = String.raw`${NOT_DENIED}\b(?:need|needs|require|requires|await|awaiting|wait for|wait on|waiting for|waiting on)`
const WORD = '(?:input|permission|approval|consent|confirmation|decision|answer|reply|go-ahead|clarification)'
const FILLER = `(?:(?:an?|the|some|more|further|explicit|from|of|by|to know|to hear from|to ask|access|details|information|${WORD}) ){0,4}`
const USER = String.raw`(?:you|your|the user|the user['’]s)\b`

const NEEDS_THE_USER: readonly RegExp[] = [
  /\blet me know\b/i,
  /\bplease (?:confirm|choose|decide|advise|provide|specify|clarify|share|send|upload|supply|approve|pick|select|reply|answer|grant|set|add|tell me)\b/i,
  /\btell me (?:which|what|whether|if|how|where|when)\b/i,
  // "I need you to ...", "waiting for an answer from the user", "I need permission to ..."
  new RegExp(`${NEED} ${FILLER}(?:${USER}|${WORD}\\b)`, 'i'),
  // "it is up to you", "I stop until you confirm", "that depends on your budget"
  new RegExp(String.raw`${NOT_DENIED}\b(?:up to|until|depends on) ${USER}`, 'i'),
  new RegExp(String.raw`\bwithout (?:${USER} )?(?:explicit )?${WORD}\b`, 'i'),
  /\b(?:cannot|can['’]t|can not|unable to|not able to) (?:proceed|continue|go on|start|begin)\b[^.?!\n]{0,40}\b(?:without|unless)\b/i,
]

function saysItNeedsTheUser(paragraph: string): boolean {
  return NEEDS_THE_USER.some((pattern) => pattern.test(paragraph))
}
