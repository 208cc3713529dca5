// Before the first paint: the theme that this browser chose, or the system's.
(() => {
  const key = 'page-theme';
  const dark = matchMedia('(prefers-color-scheme: dark)');
  const chosen = () => { try { return localStorage.getItem(key); } catch { return null; } };
  const isDark = () => (chosen() ?? (dark.matches ? 'dark' : 'light')) === 'dark';
  const show = () => {
    const theme = isDark() ? 'dark' : 'light';
    document.documentElement.setAttribute('data-theme', theme);
    window.Blazor?.theme?.setTheme?.(theme);
    if (document.body && !window.Blazor?.theme) {
      theme === 'dark' ? document.body.setAttribute('data-theme', 'dark') : document.body.removeAttribute('data-theme');
    }
  };
  show();
  dark.addEventListener('change', show);
  document.addEventListener('DOMContentLoaded', show);

  // A click on the button of the theme. The button may be rendered again, so the document listens.
  document.addEventListener('click', event => {
    if (event.target.closest?.('[data-switch-theme]')) {
      try { localStorage.setItem(key, isDark() ? 'light' : 'dark'); } catch { /* Private windows may keep nothing. */ }
      show();
    }
  });

  // The circuit is lost. Blazor tries to get it back; beside it this asks whether the session is over (the page leads to the login then),
  // and when the circuit is gone for good, with its silo, loads the page anew as soon as somebody answers.
  const look = async state => {
    try {
      const answer = await fetch('/session', { cache: 'no-store' });
      if (answer.status === 401 || (answer.ok && state.isGone)) {
        location.reload();
        return true;
      }
    } catch { /* Nobody answers yet. */ }
    return false;
  };
  const state = { isLost: false, isGone: false };
  const comeBack = async () => {
    while (state.isLost && !await look(state)) {
      await new Promise(done => setTimeout(done, 1000));
    }
  };
  document.addEventListener('DOMContentLoaded', () => {
    document.getElementById('components-reconnect-modal')?.addEventListener('components-reconnect-state-changed', event => {
      const lost = event.detail.state !== 'hide';
      state.isGone = ['failed', 'rejected', 'resume-failed'].includes(event.detail.state);
      if (lost && !state.isLost) {
        state.isLost = true;
        comeBack();
      }
      state.isLost = lost;
    });
  });
})();
