import '@fontsource-variable/inter'
import '@fontsource-variable/jetbrains-mono'
import './styles/index.css'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './App'
import { startApp } from './stores/app'

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no #root')
startApp()
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
)
