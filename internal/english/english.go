// Package english puts what follows a lone 1 into the singular: "1 ads hold
// that day" becomes "1 ad holds that day". Sentences are written once, in the
// plural, and their numbers are filled in when they are read; whoever fills
// them in passes the sentence through One. Chinese needs none of it.
package english

import "strings"

// nouns are the plurals our sentences count, with their singulars. A test reads
// all sentences and names one that is missing here.
var nouns = singulars(`accounts ads bytes campaigns characters codes colleagues columns coupons days debts deeds differences events friends groups hours interactions invitations
	invitees items keys lines members minutes months orders pieces pixels places points products questions rehearsals replicas requests rewards rituals rows scans seats
	sessions settlements sizes steps sub-groups tags teams things times topics transfers vouchers webhooks weeks windows`,
	map[string]string{"people": "person", "replies": "reply", "entries": "entry"})

func singulars(regular string, all map[string]string) map[string]string {
	for plural := range strings.FieldsSeq(regular) {
		all[plural] = strings.TrimSuffix(plural, "s")
	}
	return all
}

// verbs are the plural verbs that follow such nouns.
var verbs = map[string]string{
	"are": "is", "were": "was", "have": "has", "hold": "holds", "stay": "stays", "say": "says", "order": "orders", "want": "wants", "come": "comes", "hang": "hangs", "do": "does", "count": "counts",
}

// between are words after which a number counts nothing any more: "1 of 3
// groups".
var between = map[string]bool{"of": true, "to": true, "a": true, "an": true, "in": true, "at": true, "per": true, "and": true, "or": true, "for": true}

// One is the text with what follows each lone 1 in the singular: the noun next
// to it or after one or two words more, as in "1 more days", and the verb after
// that.
func One(text string) string {
	if !strings.Contains(text, "1 ") {
		return text
	}
	words := strings.SplitAfter(text, " ")
	for i := range words {
		if strings.TrimLeft(words[i], `("`) != "1 " {
			continue
		}
		if i > 1 && words[i-1] == "are " && strings.EqualFold(words[i-2], "there ") {
			words[i-1] = "is "
		}
		if swap(words, i+1, verbs) {
			continue
		}
		for at := i + 1; at < min(i+4, len(words)); at++ {
			if swap(words, at, nouns) {
				swap(words, at+1, verbs)
				break
			}
			if word := strings.TrimSpace(words[at]); between[word] || strings.ContainsAny(word, ",;:.)·") {
				break
			}
		}
	}
	return strings.Join(words, "")
}

// swap puts a word into the singular, with what stands behind it left as it is.
func swap(words []string, at int, singular map[string]string) bool {
	if at >= len(words) {
		return false
	}
	word := strings.TrimRight(words[at], " ,;:.)?!·\n")
	one, known := singular[word]
	if known {
		words[at] = one + words[at][len(word):]
	}
	return known
}
