// Sends the one form of the page it is on, so that nobody has to press its button.
document.getElementById("formpost").submit();
