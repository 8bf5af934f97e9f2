/** What this machine has for training, as far as it can be found out. */
export interface Machine {
  cpu: { model: string; cores: number }
  /** Bytes. */
  memory: { total: number; available: number }
  /** Bytes on the disk of the workspace. */
  disk: { total: number; free: number }
  gpus: Gpu[]
  /** Why no GPU was found, where that says more than nothing; empty otherwise. */
  gpu_note: string
}

export interface Gpu {
  name: string
  kind: 'cuda' | 'rocm' | 'mps'
  /** Bytes; null where the system does not tell. */
  memory: number | null
  memory_free: number | null
  driver: string | null
}

/** The Python of a project. */
export interface PythonInfo {
  /** Absolute path of the interpreter. */
  path: string
  version: string
  /** Where it comes from. */
  source: 'project' | 'uv' | 'venv' | 'conda' | 'system'
  /** Folder of the environment; null for a system's Python. */
  environment: string | null
}

export interface SandboxStatus {
  kind: 'none' | 'bubblewrap' | 'seatbelt'
  /** Why it is not sandboxed, or what the sandbox lets through. One sentence. */
  reason: string
  profile: 'read-only' | 'workspace-write' | 'full'
}
