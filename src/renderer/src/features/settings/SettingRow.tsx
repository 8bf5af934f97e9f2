import type { ReactNode } from 'react'

interface SettingRowProps {
  title: string
  description: ReactNode
  children: ReactNode
}

export function SettingRow({ title, description, children }: SettingRowProps) {
  return (
    <div className="flex items-center gap-4 border-line py-3 not-first:border-t">
      <div className="min-w-0 flex-1">
        <p className="font-medium">{title}</p>
        <div className="text-sm text-ink-2">{description}</div>
      </div>
      {children}
    </div>
  )
}
