// The chosen colours, before the first paint: it runs before everything else and so is no module.
const { dataset } = document.documentElement;
try {
  dataset.theme = localStorage.getItem('reprise-theme') ?? '';
} catch { /* then a choice is for this page alone */ }
addEventListener('DOMContentLoaded', () => {
  const theme = document.getElementById('theme');
  theme.value = dataset.theme ?? '';
  theme.onchange = () => {
    dataset.theme = theme.value;
    localStorage.setItem('reprise-theme', theme.value);
  };
});
