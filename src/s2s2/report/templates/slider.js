// Without scripts every volume shows one slice, and its slider stays hidden.
for (const viewer of document.querySelectorAll(".viewer")) {
  const range = viewer.querySelector("input"), frames = [...viewer.querySelectorAll(".frame")];
  const show = () => {
    frames.forEach((frame, index) => { frame.hidden = index !== Number(range.value); });
    range.setAttribute("aria-valuetext", frames[range.value].dataset.words);
  };
  range.addEventListener("input", show);
  viewer.querySelector(".steps").hidden = frames.length < 2;
  show();
}
