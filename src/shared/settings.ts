import { z } from 'zod'
import { rulesSchema } from './approvals'

export const approvalModeSchema = z.enum(['plan', 'ask', 'auto', 'full'])
/** Plan: read only. Ask: changes and commands ask. Auto and full: they run. */
export type ApprovalMode = z.infer<typeof approvalModeSchema>

export const effortSchema = z.enum(['low', 'medium', 'high', 'xhigh', 'max'])
export type Effort = z.infer<typeof effortSchema>

export const themeSchema = z.enum(['system', 'light', 'dark'])
export type Theme = z.infer<typeof themeSchema>

/** Model calls in one turn, design part 3. */
export const DEFAULT_MAX_ITERATIONS = 300
/** Claude Opus 5.5: 1M window, $4/$20 per million tokens (platform.claude.com models overview, November 2026). */
export const DEFAULT_MODEL = 'anthropic/claude-opus-5-5'
export const DEMO_MODEL = 'demo/scripted'

/** A price in US dollars per million tokens. */
export const priceSchema = z.object({
  input: z.number().nonnegative(),
  output: z.number().nonnegative(),
  cache_read: z.number().nonnegative().optional(),
  cache_write: z.number().nonnegative().optional(),
  /** Tokens that fit in one request, input and output together. */
  context_window: z.number().int().positive().optional(),
})
export type Price = z.infer<typeof priceSchema>

/** Work beside the conversation that a model of its own may do. */
export const modelRoles = ['research', 'title', 'compaction'] as const
export type ModelRole = (typeof modelRoles)[number]
const roleModel = z.string().min(1).nullable()
const roleModels = { research: roleModel, title: roleModel, compaction: roleModel }
const roleDefaults = { research: null, title: null, compaction: null }

export const settingsSchema = z.object({
  model: z.string().min(1).default(DEFAULT_MODEL),
  effort: effortSchema.nullable().default(null),
  /** -1: no limit. */
  max_iterations: z
    .number()
    .int()
    .min(-1)
    .refine((n) => n !== 0, 'a turn needs at least one model call; -1 means no limit')
    .default(DEFAULT_MAX_ITERATIONS),
  /** US dollars for the model calls of one session; null: no cap. */
  max_cost_usd: z.number().nonnegative().nullable().default(null),
  /** US dollars for the model calls of all sessions in one local day; null: no cap. */
  max_cost_per_day_usd: z.number().nonnegative().nullable().default(null),
  /** Under a cap, also call models whose price is not known: what they cost is then not counted. */
  allow_unknown_price: z.boolean().default(false),
  mode: approvalModeSchema.default('ask'),
  /** Rules for every session, see shared/approvals. */
  approval_rules: rulesSchema.default([]),
  /** Rules for the sessions that work in a folder, by its absolute path. They belong to the user, not to the project. */
  project_rules: z.record(z.string(), rulesSchema).default({}),
  /** Models for side work, by id; null: one is chosen that suits the session's model. */
  role_models: z
    .object({ research: roleModel.default(null), title: roleModel.default(null), compaction: roleModel.default(null) })
    .strict()
    .default(roleDefaults),
  /**
   * Run commands in a sandbox of the operating system. `workspace-write`: they may write in the session's folder only, and
   * reach the hosts of an allow-list; `read-only`: they write nothing. `off`: they run with the user's own rights.
   */
  sandbox: z.enum(['off', 'workspace-write', 'read-only']).default('off'),
  /** Record the workspace before the first change of each turn, so that it can be rewound. */
  checkpoints: z.boolean().default(true),
  /** Let a model name a session after its first turn. */
  auto_titles: z.boolean().default(true),
  /** Hub dataset for traces that the user uploads; `{hf_user}` is the name of the account. */
  trace_repo: z.string().min(1).default('{hf_user}/ml-intern-sessions'),
  /** Ask before a CPU job on Hugging Face too; jobs on a GPU always ask. */
  confirm_cpu_jobs: z.boolean().default(true),
  theme: themeSchema.default('system'),
  /** Where new sessions start in the window; null: the folder the program was started in. */
  default_cwd: z.string().nullable().default(null),
  /** Added to and over the built-in table, by model id without the provider prefix. */
  prices: z.record(z.string(), priceSchema).default({}),
  /** Folder of sessions and settings; null: the system's application-data folder. */
  home: z.string().nullable().default(null),
  anthropic_base_url: z.url().default('https://api.anthropic.com'),
})
export type Settings = z.infer<typeof settingsSchema>
export const DEFAULT_SETTINGS: Settings = settingsSchema.parse({})

/** What the window may change; everything else is the config file's. */
export const settingsPatchSchema = z
  .object({
    model: z.string().min(1),
    effort: effortSchema.nullable(),
    mode: approvalModeSchema,
    theme: themeSchema,
    default_cwd: z.string().nullable(),
    approval_rules: rulesSchema,
    project_rules: z.record(z.string(), rulesSchema),
    role_models: z.object(roleModels).strict(),
    auto_titles: z.boolean(),
    checkpoints: z.boolean(),
    max_cost_usd: z.number().nonnegative().nullable(),
    max_cost_per_day_usd: z.number().nonnegative().nullable(),
    allow_unknown_price: z.boolean(),
  })
  .partial()
  .strict()
export type SettingsPatch = z.infer<typeof settingsPatchSchema>
