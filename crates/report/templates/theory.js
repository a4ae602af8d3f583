(function () {
  var read = function (id) { return JSON.parse(document.getElementById(id).textContent); };
  var frames = read("frames"), figures = read("figures"), slider = document.getElementById("eta");
  var show = function () {
    var k = Number(slider.value);
    document.getElementById("density").setAttribute("d", frames[k].density);
    document.getElementById("threshold").setAttribute("d", frames[k].threshold);
    document.getElementById("eta-value").textContent = figures[k].eta;
    slider.setAttribute("aria-valuetext", "eta " + figures[k].eta);
    ["v", "confidence", "best", "memorization", "error"].forEach(function (name) {
      document.getElementById("f-" + name).textContent = figures[k][name];
    });
  };
  slider.addEventListener("input", show);
  show();
})();
