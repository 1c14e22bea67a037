// Applies the chosen theme before the first paint; runs before everything else and so is no module.
try {
  document.documentElement.dataset.theme = localStorage.getItem('reprise-theme') || 'auto';
} catch {}
