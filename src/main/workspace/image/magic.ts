/** What a binary file is, by the bytes at its beginning. Hex, at the offset. */
const KINDS: readonly [offset: number, hex: string, name: string, advice: string][] = [
  [
    0,
    '50415231',
    'a Parquet file',
    'Look at it in Python: pandas.read_parquet, or pyarrow.parquet for schema and samples.',
  ],
  [0, '4152524f5731', 'an Arrow file', 'Open it in Python with pyarrow or datasets.'],
  [0, '894844460d0a1a0a', 'an HDF5 file', 'Open it in Python with h5py.'],
  [0, '934e554d5059', 'a NumPy array', 'Load it in Python: numpy.load(path, mmap_mode="r").'],
  [0, '53514c69746520666f726d6174203300', 'an SQLite database', 'Query it with bash: sqlite3, or Python’s sqlite3.'],
  [0, '47475546', 'a GGUF model', 'Read its metadata with the gguf package of Python.'],
  [
    0,
    '504b0304',
    'a ZIP archive (or what is built on it: a PyTorch checkpoint, .npz, .docx)',
    'List it with bash: unzip -l.',
  ],
  [0, '1f8b', 'a gzip file', 'Look into it with bash: zcat FILE | head, or tar -tzf.'],
  [0, '28b52ffd', 'a Zstandard file', 'Look into it with bash: zstd -dc FILE | head.'],
  [0, 'fd377a585a00', 'an xz file', 'Look into it with bash: xzcat FILE | head.'],
  [0, '425a68', 'a bzip2 file', 'Look into it with bash: bzcat FILE | head.'],
  [257, '7573746172', 'a tar archive', 'List it with bash: tar -tf.'],
  [0, '7f454c46', 'a program or library (ELF)', ''],
  [0, '4d5a', 'a Windows program', ''],
  [0, 'cffaedfe', 'a program or library (Mach-O)', ''],
  [0, '80025d', 'a Python pickle', 'To load a pickle runs code: do so only when its source is trusted.'],
  [0, '8004', 'a Python pickle', 'To load a pickle runs code: do so only when its source is trusted.'],
  [4, '66747970', 'a video or picture (ISO media)', ''],
  [0, '1a45dfa3', 'a video (Matroska or WebM)', ''],
  [0, '494433', 'an MP3 file', ''],
  [0, '664c6143', 'a FLAC file', ''],
  [0, '4f676753', 'an Ogg file', ''],
  [0, '424d', 'a bitmap picture (BMP)', 'Convert it to PNG to look at it.'],
  [0, '49492a00', 'a TIFF picture', 'Convert it to PNG to look at it.'],
  [0, '4d4d002a', 'a TIFF picture', 'Convert it to PNG to look at it.'],
]
const HEX_BYTES = 128
const HEX_LINE = 16

export interface BinaryKind {
  name: string
  /** How to look into it; may be empty. */
  advice: string
}

/** What the bytes at the beginning of a binary file say; null when nothing known. */
export function binaryKind(head: Buffer): BinaryKind | null {
  for (const [offset, hex, name, advice] of KINDS) {
    const wanted = Buffer.from(hex, 'hex')
    if (head.subarray(offset, offset + wanted.length).equals(wanted)) return { name, advice }
  }
  // Eight bytes of length, then JSON.
  if (head.length > 10 && head.readUInt32LE(4) === 0 && head.toString('latin1', 8, 10) === '{"') {
    return { name: 'a safetensors file', advice: 'Its header is JSON: read it in Python with safetensors.safe_open.' }
  }
  const riff = head.toString('latin1', 0, 4) === 'RIFF' && head.toString('latin1', 8, 12) === 'WAVE'
  return riff ? { name: 'a WAV file', advice: '' } : null
}

/** The first bytes as hexdump(1) shows them. */
export function hexHead(head: Buffer): string {
  const lines: string[] = []
  for (let at = 0; at < Math.min(head.length, HEX_BYTES); at += HEX_LINE) {
    const bytes = head.subarray(at, Math.min(at + HEX_LINE, HEX_BYTES))
    const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
    const text = [...bytes].map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.')).join('')
    lines.push(`${at.toString(16).padStart(8, '0')}  ${hex.padEnd(HEX_LINE * 3 - 1)}  |${text}|`)
  }
  return lines.join('\n')
}
