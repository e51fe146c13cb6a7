// Starts the slides. Keys of ours: D changes between light and dark, M shows the presenter's notes on the slide.
(function () {
  const asked = new URLSearchParams(location.search);
  const dark = asked.get("theme") || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  document.body.dataset.jpThemeLight = String(asked.has("print-pdf") && !asked.has("theme") ? true : dark !== "dark");

  Reveal.initialize({
    width: 1280, height: 720, margin: 0, center: false, hash: true, controls: false, transition: "none",
    slideNumber: "c/t", pdfSeparateFragments: false, pdfMaxPagesPerSlide: 1, plugins: [RevealNotes],
  });
  Reveal.addKeyBinding({ keyCode: 68, key: "D", description: "Light or dark" }, function () {
    document.body.dataset.jpThemeLight = String(document.body.dataset.jpThemeLight !== "true");
  });
  Reveal.addKeyBinding({ keyCode: 77, key: "M", description: "Notes on the slide" }, function () {
    document.body.classList.toggle("with-notes");
  });
})();
