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

  // The first picture is only looked at: until the circuit has put its own in this place, a click or a typed letter would be lost.
  document.addEventListener('DOMContentLoaded', () => {
    const first = document.querySelector('main[data-waits]');
    if (!first) {
      return;
    }
    first.inert = true;
    const slow = setTimeout(() => document.body.classList.add('is-slow'), 3000);
    new MutationObserver((_, observer) => {
      if (document.querySelector('main[data-live]')) {
        clearTimeout(slow);
        document.body.classList.remove('is-slow');
        observer.disconnect();
      }
    }).observe(document.body, { childList: true, subtree: true, attributeFilter: ['data-live'] });
  });

  // The circuit is lost. Blazor tries to get it back; beside it this asks whether the session is over (the page leads to the login then),
  // and when the circuit is gone for good, with its silo, or never came up, loads the page anew as soon as somebody answers.
  const pause = () => new Promise(done => setTimeout(done, 1000 + Math.random() * 1000));
  const look = async state => {
    try {
      const answer = await fetch('/session', { cache: 'no-store' });
      if (!state.isLeaving && (answer.status === 401 || (answer.ok && state.isGone))) {
        location.reload();
        return true;
      }
    } catch { /* Nobody answers yet. */ }
    return false;
  };
  const state = { isLost: false, isGone: false, isLeaving: false };
  const comeBack = async () => {
    while (state.isLost && !state.isLeaving && !await look(state)) {
      await pause();
    }
  };
  const lose = isGone => {
    state.isGone = isGone;
    if (!state.isLost) {
      state.isLost = true;
      comeBack();
    }
  };
  // A logout ends the circuit before its answer is here. Loaded anew, this page would send whoever logs in next back to it.
  document.addEventListener('submit', event => { state.isLeaving ||= event.target.matches('form[action="/session/end"]'); }, true);
  document.addEventListener('DOMContentLoaded', () => {
    document.getElementById('components-reconnect-modal')?.addEventListener('components-reconnect-state-changed', event => {
      if (event.detail.state === 'hide') {
        state.isLost = false;
      } else {
        lose(['failed', 'rejected', 'resume-failed'].includes(event.detail.state));
      }
    });

    // Blazor shows this where a circuit cannot be opened, or failed as a whole, and tries no more then. Where the silo refused to
    // prepare one it says nothing.
    const failed = document.getElementById('blazor-error-ui');
    if (failed) {
      new MutationObserver(() => pause().then(() => lose(true))).observe(failed, { attributeFilter: ['style'] });
      addEventListener('unhandledrejection', () => {
        if (document.querySelector('main[data-waits]')) {
          failed.style.display = 'block';
        }
      });
    }
  });
})();
