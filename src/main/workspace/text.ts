import { UserError } from '../errors'

export const BOM = '\ufeff'
export type Eol = '\n' | '\r\n'

/** The line ending of most lines; null for a text of one line. */
export function dominantEol(text: string): Eol | null {
  let lf = 0
  let crlf = 0
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) {
    if (text[at - 1] === '\r') crlf += 1
    else lf += 1
  }
  if (lf + crlf === 0) return null
  return crlf > lf ? '\r\n' : '\n'
}

export function toLf(text: string): string {
  return text.includes('\r\n') ? text.replaceAll('\r\n', '\n') : text
}

export function withEol(text: string, eol: Eol | null): string {
  if (eol === null) return text
  const lf = toLf(text)
  return eol === '\n' ? lf : lf.replaceAll('\n', '\r\n')
}

/** Text of a UTF-8 file, with its byte order mark if it has one. Throws UserError for anything else. */
export function decodeUtf8(bytes: Buffer, path: string): string {
  refuseBinary(bytes, path, true)
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (error) {
    throw undecodable(path, error)
  }
}

/** A NUL byte never occurs in UTF-8 text of files people edit, and always early in binary formats. */
export function refuseBinary(bytes: Buffer, path: string, first: boolean): void {
  if (first && bytes.length >= 2 && (bytes.readUInt16BE(0) === 0xfffe || bytes.readUInt16BE(0) === 0xfeff)) {
    throw new UserError(
      'invalid_request',
      `${path} is UTF-16 text.`,
      'Convert it with bash: iconv -f UTF-16 -t UTF-8 FILE > NEW_FILE.',
    )
  }
  if (!bytes.includes(0)) return
  throw new UserError(
    'invalid_request',
    `${path} is a binary file, not text.`,
    'Look at it with bash (file, head -c 200 FILE | xxd) or with the library for its format.',
  )
}

export function undecodable(path: string, cause: unknown): UserError {
  return new UserError(
    'invalid_request',
    `${path} is not valid UTF-8 text.`,
    'If it is text in another encoding, convert it with bash: iconv -f LATIN1 -t UTF-8 FILE > NEW_FILE.',
    { cause },
  )
}

/** Lines as an editor counts them: a final line ending begins no new line. */
export function countLines(text: string): number {
  if (text === '') return 0
  let lines = text.endsWith('\n') ? 0 : 1
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines += 1
  return lines
}
