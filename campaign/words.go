package campaign

import (
	_ "embed"
	"strings"
)

// WordsVersion names the list of words in force.
const WordsVersion = "2026-11-26"

//go:embed words/2026-11-26.txt
var wordsText string

var words = readWords(wordsText)

// word is a text that must not stand, or must be looked at, in what members
// read.
type word struct {
	class  string
	result Result
	text   string
}

// readWords reads a list. A line that is no word is a mistake of the
// programmer, found at start.
func readWords(text string) []word {
	var list []word
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		f := strings.Fields(line)
		if len(f) != 3 || wordRules[f[0]].id == "" || f[1] != string(ResultRefusal) && f[1] != string(ResultWarning) {
			panic("campaign: words: " + line)
		}
		list = append(list, word{f[0], Result(f[1]), f[2]})
	}
	return list
}

// Text is what members read, and the field it stands in.
type Text struct {
	Where string
	Says  string
}

// CheckTexts looks for the words of every class. A class with none passes once;
// else each word and place is a finding. Spaces between letters hide nothing.
func CheckTexts(texts []Text) []Finding {
	var out []Finding
	for _, r := range wordClasses {
		found := len(out)
		for _, t := range texts {
			bare := strings.Join(strings.Fields(t.Says), "")
			for _, w := range words {
				if w.class == r.id && strings.Contains(bare, w.text) {
					out = append(out, r.finding(w.result, t.Where, "出现“"+w.text+"”："+r.zh, "says “"+w.text+"”: "+r.en))
				}
			}
		}
		if len(out) == found {
			out = append(out, r.finding(ResultPass, "", "未发现词库（"+WordsVersion+"）中的用语", "none of the words listed in "+WordsVersion+" was found"))
		}
	}
	return out
}
