import './client/jitless.ts';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import './theme/tokens.css';
import './theme/base.css';
import { App } from './app/app.tsx';
import { startStudio } from './state/actions/lifecycle.ts';
import { applyTheme, readThemeChoice } from './theme/theme.ts';

applyTheme(readThemeChoice());
startStudio();

const root = document.getElementById('root');
if (!root) throw new Error('The page has no #root element');
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
