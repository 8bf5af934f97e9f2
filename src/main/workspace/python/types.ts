import type { PythonInfo } from '@shared/machine'

/** A Python that works, and why it is one for this project. */
export interface PythonCandidate extends PythonInfo {
  /** "the project's own environment (.venv)". */
  reason: string
  /** Others use it as well (a system's Python, conda's base): nothing is installed there. */
  shared: boolean
  /** Whether `pip` is installed in the environment itself: uv makes environments without. */
  has_pip: boolean
}

/** A Python that was looked at and cannot be used. */
export interface SkippedPython {
  path: string
  why: string
}

export interface FoundPythons {
  /** Best first. */
  candidates: PythonCandidate[]
  skipped: SkippedPython[]
}

export interface FindOptions {
  signal: AbortSignal
  /** Milliseconds for one interpreter. */
  timeout_ms?: number
}
